"""A database process that is stopped (SIGSTOP) gives 503 within 2 s, and is used again after SIGCONT.

Usage: frozen_server.py API_URL DATABASE_PID
"""
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

api, pid = sys.argv[1], int(sys.argv[2])
jane = {"name": "Jane Doe", "email": "jdoe@example.com", "course": "Nanophotonics", "gpa": 3}


def call(method, path, body=None):
    """Answers the status, the body, Retry-After and the seconds that it took."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {"content-type": "application/json"} if data else {}, method=method)
    started = time.monotonic()
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read()
    return answer.status, json.loads(text) if text else None, answer.headers.get("retry-after"), time.monotonic() - started


status, student, _, _ = call("POST", "/students/", jane)
assert status == 201, student
path = f"/students/{student['id']}"

may_be_changed = True
os.kill(pid, signal.SIGSTOP)
try:
    for method, path_, body in [("GET", path, None), ("POST", "/students/", jane), ("PUT", path, {"gpa": 2}), ("GET", "/students/", None)]:
        status, problem, retry_after, seconds = call(method, path_, body)
        print(f"{method} {path_}: {status} after {seconds:.2f} s, {problem['detail']}")
        assert status == 503 and retry_after and seconds < 2, problem
        if method in ("POST", "PUT"):
            # nothing was changed where the write still waited for a connection
            assert "may have been applied" in problem["detail"] or "Nothing was changed" in problem["detail"], problem
        if method == "PUT":
            may_be_changed = "may have been applied" in problem["detail"]
finally:
    os.kill(pid, signal.SIGCONT)

deadline = time.monotonic() + 15
while (status := call("GET", path)[0]) == 503 and time.monotonic() < deadline:
    time.sleep(0.1)
assert status == 200, status
time.sleep(1)
assert may_be_changed or call("GET", path)[1]["gpa"] == jane["gpa"], "changed all the same"
print("and it serves again")

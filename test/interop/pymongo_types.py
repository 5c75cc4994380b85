"""What the API wrote is read by PyMongo, and what PyMongo wrote by the API, with the same types.

Usage: pymongo_types.py API_URL MONGODB_URL DATABASE
"""
import json
import sys
import urllib.request

from bson import Decimal128, Int64, ObjectId
from pymongo import MongoClient

api, mongodb, database = sys.argv[1:]
students = MongoClient(mongodb)[database].students
jane = {"name": "Jane Doe 👩🏽‍🎓", "email": "jdoe@example.com", "course": "Nanophotonics"}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {"content-type": "application/json"} if data else {}, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def check(what, actual, expected):
    assert actual == expected and type(actual) is type(expected), f"{what}: {actual!r} is not {expected!r}"
    print(f"ok - {what}")


for gpa, stored in [(3, 3.0), (3.5, 3.5), ("3.0", 3.0), (0, 0.0)]:
    created = call("POST", "/students/", {**jane, "gpa": gpa})
    document = students.find_one({"_id": ObjectId(created["id"])})
    check(f"the API stores a gpa of {gpa!r} as a double", document.pop("gpa"), stored)
    check("the API stores the rest as text, and nothing more", document, {"_id": ObjectId(created["id"]), **jane})

call("PUT", f"/students/{created['id']}", {"gpa": 2})
check("an update stores a double too", students.find_one({"_id": ObjectId(created["id"])})["gpa"], 2.0)

for gpa in [3, 3.0, Int64(3), Decimal128("3.0")]:
    _id = students.insert_one({**jane, "gpa": gpa}).inserted_id
    shown = call("GET", f"/students/{_id}")
    check(f"the API shows a gpa that PyMongo stored as {type(gpa).__name__}", shown, {"id": str(_id), **jane, "gpa": 3})

_id = students.insert_one({"name": "Foreign", "gpa": "three", "email": None, "extra": {"a": [1]}}).inserted_id
check("the API leaves out what does not fit", call("GET", f"/students/{_id}"), {"id": str(_id), "name": "Foreign"})
check("and lists it", {"id": str(_id), "name": "Foreign"} in call("GET", "/students/")["students"], True)

call("DELETE", f"/students/{_id}")
check("PyMongo finds what the API deleted no more", students.find_one({"_id": _id}), None)

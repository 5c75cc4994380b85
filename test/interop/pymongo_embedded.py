"""A session of PyMongo with the embedded store: documents of all types, changes, cursors, indexes, errors.

Usage: pymongo_embedded.py MONGODB_URL
"""
import datetime
import sys

from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from pymongo import MongoClient, ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure
from pymongo.server_api import ServerApi


def check(what, actual, expected):
    assert actual == expected and type(actual) is type(expected), f"{what}: {actual!r} is not {expected!r}"
    print(f"ok - {what}")


def refused(what, code, call):
    try:
        call()
    except OperationFailure as error:
        check(what, error.code, code)
    else:
        raise AssertionError(f"{what}: it was taken")


def session(database):
    students = database.students
    values = [
        3.0, 3, Int64(3), Decimal128("3.0"), "é\0", {"a": [1.0, None]}, [1, "x"], Binary(b"x", 128), ObjectId(), True,
        datetime.datetime(1969, 12, 31, 23, 59, 59), None, Regex("a", "i"), Timestamp(1, 2), MinKey(), MaxKey(), Code("x"),
    ]
    _id = students.insert_one({str(place): value for place, value in enumerate(values)}).inserted_id
    stored = students.find_one({"_id": _id})
    for place, value in enumerate(values):
        check(f"a {type(value).__name__} comes back", stored[str(place)], value)

    ids = students.insert_many([{"n": n, "name": f"name {n % 3}"} for n in range(500)]).inserted_ids
    check("a cursor gives all, in batches", [one["_id"] for one in students.find({"name": "name 1"}, batch_size=50).sort("_id")], ids[1::3])
    check("many are found by their ids", len(list(students.find({"_id": {"$in": ids[:100]}}))), 100)
    check("countDocuments", students.count_documents({"name": "name 2"}), 166)
    check("estimatedDocumentCount", students.estimated_document_count(), 501)

    change = {"$set": {"name": "new"}, "$inc": {"n": Int64(1)}, "$setOnInsert": {"made": True}}
    after = students.find_one_and_update({"_id": ids[0], "name": "name 0"}, change, return_document=ReturnDocument.AFTER)
    check("findAndModify changes what fits the filter", after, {"_id": ids[0], "n": Int64(1), "name": "new"})
    made = students.find_one_and_update({"_id": "x"}, change, upsert=True, return_document=ReturnDocument.AFTER)
    check("and makes what is not there", made, {"_id": "x", "made": True, "n": Int64(1), "name": "new"})
    try:
        students.insert_one({"_id": "x"})
    except DuplicateKeyError as error:
        check("a duplicate key is named", error.details["keyValue"], {"_id": "x"})
    try:
        students.insert_many([{"_id": "x"}, {"_id": "y"}, {"_id": "y"}], ordered=False)
    except BulkWriteError as error:
        check("an unordered batch goes on", [error.details["nInserted"], [one["index"] for one in error.details["writeErrors"]]], [1, [0, 2]])

    check("an index is made", students.create_index("expires_at", expireAfterSeconds=3600), "expires_at_1")
    check("and made once", students.create_index("expires_at", expireAfterSeconds=3600), "expires_at_1")
    refused("another one under its name is a conflict", 85, lambda: students.create_index("expires_at", expireAfterSeconds=1))
    refused("an index of another kind is refused", 115, lambda: students.create_index("name"))
    refused("an operator that is not served is refused", 115, lambda: students.find_one({"n": {"$mod": [2, 1]}}))
    refused("one that there is not, too", 2, lambda: students.find_one({"_id": {"$foo": 1}}))

    check("one is deleted", students.delete_one({"_id": ids[1]}).deleted_count, 1)
    check("many are deleted", students.delete_many({"name": "name 2"}).deleted_count, 166)
    students.drop()
    check("a dropped collection is empty", students.count_documents({}), 0)


url = sys.argv[1]
for server_api in [ServerApi("1", strict=True, deprecation_errors=True), None]:
    with MongoClient(url, server_api=server_api) as client:
        session(client.interop)
        client.drop_database("interop")

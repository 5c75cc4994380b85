"""FastAPI and PyMongo's async API, in the way of MongoDB's tutorial: Pydantic models in and out, one operation per request."""

import os
from typing import Annotated, Optional

import uvicorn
from bson import ObjectId
from fastapi import Body, FastAPI, HTTPException, Query, Response, status
from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field
from pymongo import DESCENDING, AsyncMongoClient, ReturnDocument

app = FastAPI()
client = AsyncMongoClient(os.environ["MONGODB_URL"])
students = client.get_database(os.environ["MONGODB_DATABASE"]).get_collection("students")

# an ObjectId is shown as its hex digits
PyObjectId = Annotated[str, BeforeValidator(str)]


class Student(BaseModel):
    id: Optional[PyObjectId] = Field(alias="_id", default=None)
    name: str = Field(min_length=1)
    email: EmailStr
    course: str = Field(min_length=1)
    gpa: float = Field(ge=0, le=4)
    model_config = ConfigDict(populate_by_name=True)


class StudentUpdate(BaseModel):
    name: Optional[str] = Field(default=None, min_length=1)
    email: Optional[EmailStr] = None
    course: Optional[str] = Field(default=None, min_length=1)
    gpa: Optional[float] = Field(default=None, ge=0, le=4)


class StudentCollection(BaseModel):
    students: list[Student]


def not_found(id: str) -> HTTPException:
    return HTTPException(status_code=404, detail=f"Student {id} not found")


@app.post("/students/", response_model=Student, status_code=status.HTTP_201_CREATED, response_model_by_alias=False)
async def create_student(student: Student = Body(...)):
    document = student.model_dump(by_alias=True, exclude={"id"})
    result = await students.insert_one(document)
    document["_id"] = result.inserted_id
    return document


@app.get("/students/", response_model=StudentCollection, response_model_by_alias=False)
async def list_students(
    gte: Optional[float] = Query(default=None, alias="gpa.gte"),
    lt: Optional[float] = Query(default=None, alias="gpa.lt"),
    sort: Optional[str] = None,
    skip: int = 0,
    limit: int = 1000,
):
    cursor = students.find({} if gte is None else {"gpa": {"$gte": gte, "$lt": lt}})
    if sort == "-gpa":
        cursor = cursor.sort([("gpa", DESCENDING), ("_id", DESCENDING)])
    return StudentCollection(students=await cursor.skip(skip).limit(limit).to_list(limit))


@app.get("/students/{id}", response_model=Student, response_model_by_alias=False)
async def show_student(id: str):
    if (student := await students.find_one({"_id": ObjectId(id)})) is not None:
        return student
    raise not_found(id)


@app.put("/students/{id}", response_model=Student, response_model_by_alias=False)
async def update_student(id: str, student: StudentUpdate = Body(...)):
    changes = {name: value for name, value in student.model_dump().items() if value is not None}
    if changes:
        updated = await students.find_one_and_update(
            {"_id": ObjectId(id)}, {"$set": changes}, return_document=ReturnDocument.AFTER
        )
    else:
        updated = await students.find_one({"_id": ObjectId(id)})
    if updated is None:
        raise not_found(id)
    return updated


@app.delete("/students/{id}")
async def delete_student(id: str):
    result = await students.delete_one({"_id": ObjectId(id)})
    if result.deleted_count == 1:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    raise not_found(id)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=72,
    )

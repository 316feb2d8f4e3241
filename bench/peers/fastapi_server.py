"""FastAPI with SQLite: a token is looked up, and rows are read, for each request."""

from fastapi import Depends, FastAPI, Header, HTTPException

import sqlite_store

app = FastAPI()


async def caller(authorization: str = Header()):
    account = sqlite_store.account(authorization)
    if account is None:
        raise HTTPException(401)
    return account


@app.get("/one")
async def one(account: int = Depends(caller)):
    return sqlite_store.one(account, 1)


@app.get("/list")
async def all_of(account: int = Depends(caller)):
    return sqlite_store.all_of(account)

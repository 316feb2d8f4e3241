#include "CPostgreSQL.h"

#include "loading.h"

#define LIBPQ(result, name, parameters, arguments) VPS_LOADED("libpq.so.5", result, name, parameters, arguments)

LIBPQ(int, PQbackendPID, (const PGconn *conn), (conn))
LIBPQ(void, PQclear, (PGresult *res), (res))
LIBPQ(char *, PQcmdStatus, (PGresult *res), (res))
LIBPQ(char *, PQcmdTuples, (PGresult *res), (res))
LIBPQ(PGconn *, PQconnectdb, (const char *conninfo), (conninfo))
LIBPQ(PGconn *, PQconnectdbParams,
  (const char *const *keywords, const char *const *values, int expand_dbname),
  (keywords, values, expand_dbname))
LIBPQ(void, PQconninfoFree, (PQconninfoOption *connOptions), (connOptions))
LIBPQ(PQconninfoOption *, PQconninfoParse, (const char *conninfo, char **errmsg), (conninfo, errmsg))
LIBPQ(int, PQconsumeInput, (PGconn *conn), (conn))
LIBPQ(char *, PQerrorMessage, (const PGconn *conn), (conn))
LIBPQ(PGresult *, PQexec, (PGconn *conn, const char *query), (conn, query))
LIBPQ(void, PQfinish, (PGconn *conn), (conn))
LIBPQ(int, PQflush, (PGconn *conn), (conn))
LIBPQ(char *, PQfname, (const PGresult *res, int field_num), (res, field_num))
LIBPQ(void, PQfreemem, (void *ptr), (ptr))
LIBPQ(Oid, PQftype, (const PGresult *res, int field_num), (res, field_num))
LIBPQ(PGresult *, PQgetResult, (PGconn *conn), (conn))
LIBPQ(int, PQgetisnull, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num))
LIBPQ(int, PQgetlength, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num))
LIBPQ(char *, PQgetvalue, (const PGresult *res, int tup_num, int field_num), (res, tup_num, field_num))
LIBPQ(int, PQisBusy, (PGconn *conn), (conn))
LIBPQ(int, PQnfields, (const PGresult *res), (res))
LIBPQ(PGnotify *, PQnotifies, (PGconn *conn), (conn))
LIBPQ(int, PQntuples, (const PGresult *res), (res))
LIBPQ(const char *, PQparameterStatus, (const PGconn *conn, const char *paramName), (conn, paramName))
LIBPQ(int, PQputCopyData, (PGconn *conn, const char *buffer, int nbytes), (conn, buffer, nbytes))
LIBPQ(int, PQputCopyEnd, (PGconn *conn, const char *errormsg), (conn, errormsg))
LIBPQ(char *, PQresultErrorField, (const PGresult *res, int fieldcode), (res, fieldcode))
LIBPQ(char *, PQresultErrorMessage, (const PGresult *res), (res))
LIBPQ(ExecStatusType, PQresultStatus, (const PGresult *res), (res))
LIBPQ(int, PQsendPrepare,
  (PGconn *conn, const char *stmtName, const char *query, int nParams, const Oid *paramTypes),
  (conn, stmtName, query, nParams, paramTypes))
LIBPQ(int, PQsendQuery, (PGconn *conn, const char *query), (conn, query))
LIBPQ(int, PQsendQueryParams,
  (PGconn *conn, const char *command, int nParams, const Oid *paramTypes, const char *const *paramValues,
   const int *paramLengths, const int *paramFormats, int resultFormat),
  (conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats, resultFormat))
LIBPQ(int, PQsendQueryPrepared,
  (PGconn *conn, const char *stmtName, int nParams, const char *const *paramValues, const int *paramLengths,
   const int *paramFormats, int resultFormat),
  (conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat))
LIBPQ(int, PQserverVersion, (const PGconn *conn), (conn))
LIBPQ(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn *conn, PQnoticeProcessor proc, void *arg), (conn, proc, arg))
LIBPQ(int, PQsetnonblocking, (PGconn *conn, int arg), (conn, arg))
LIBPQ(int, PQsocket, (const PGconn *conn), (conn))
LIBPQ(ConnStatusType, PQstatus, (const PGconn *conn), (conn))
LIBPQ(PGTransactionStatusType, PQtransactionStatus, (const PGconn *conn), (conn))

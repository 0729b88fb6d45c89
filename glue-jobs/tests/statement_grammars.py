"""The documented syntax of what the loads say to Redshift and Snowflake, where sqlglot takes anything for granted or knows nothing.

Written after the SQL references of both: the words in capitals are theirs, brackets and braces became options and alternatives.
"""

from __future__ import annotations

import re
from functools import cache

import sqlglot
from lark import Lark
from lark.exceptions import LarkError
from sqlglot import exp
from sqlglot.errors import SqlglotError

_TOKENS = r"""
    NAME: /"[a-z][a-z0-9_]*"|[a-z_][a-z0-9_]*/
    STRING: /'(''|[^'\\])*'/
    NUMBER: /\d+/
    %import common.WS
    %ignore WS
"""

REDSHIFT = (
    r"""
    start: copy | create_table | create_schema | alter_table | comment | lock | drop

    copy: "COPY" table column_list? "FROM" STRING "IAM_ROLE" (ROLE | "DEFAULT") format? copy_parameter*
    ROLE: /'arn:aws(-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@\/-]+'/
    format: "FORMAT" "AS"? ("PARQUET" | "ORC")
    // Of the parameters of COPY those that columnar formats take.
    copy_parameter: "MANIFEST" | "FILLRECORD" | "STATUPDATE" ("ON" | "OFF")? | "ACCEPTINVCHARS" STRING?

    create_table: "CREATE" ("LOCAL"? ("TEMPORARY" | "TEMP"))? "TABLE" ("IF" "NOT" "EXISTS")? table elements table_attributes
    elements: "(" element ("," element)* ")"
    table_attributes: ("BACKUP" ("YES" | "NO"))? diststyle? distkey? sortkey? ("ENCODE" "AUTO")?
    element: NAME data_type column_attribute* column_constraint* | table_constraint
    column_attribute: "DEFAULT" (STRING | NUMBER) | "ENCODE" NAME | "DISTKEY" | "SORTKEY"
    column_constraint: "NOT" "NULL" | "NULL" | "UNIQUE" | "PRIMARY" "KEY"
    table_constraint: ("UNIQUE" | "PRIMARY" "KEY") column_list
    diststyle: "DISTSTYLE" ("AUTO" | "EVEN" | "KEY" | "ALL")
    distkey: "DISTKEY" "(" NAME ")"
    sortkey: ("COMPOUND" | "INTERLEAVED")? "SORTKEY" column_list | "SORTKEY" "AUTO"
    data_type: "VARCHAR" "(" NUMBER ")" | "TIMESTAMP" | "DATE" | "INTEGER" | "BIGINT" | "BOOLEAN" | "DOUBLE" "PRECISION"
             | "DECIMAL" "(" NUMBER "," NUMBER ")"

    create_schema: "CREATE" "SCHEMA" ("IF" "NOT" "EXISTS")? NAME
    alter_table: "ALTER" "TABLE" table "ADD" "COLUMN"? NAME data_type column_constraint?
    comment: "COMMENT" "ON" ("TABLE" table | "COLUMN" table "." NAME) "IS" STRING
    drop: "DROP" "TABLE" ("IF" "EXISTS")? table ("," table)* ("CASCADE" | "RESTRICT")?
    lock: "LOCK" "TABLE"? table ("," table)*

    table: (NAME ".")? NAME
    column_list: "(" NAME ("," NAME)* ")"
"""
    + _TOKENS
)

SNOWFLAKE = (
    r"""
    start: copy | create_stage | create_table | create_schema | alter_table | alter_session | merge | transaction

    copy: "COPY" "INTO" table column_list? "FROM" "(" "SELECT" value ("," value)* "FROM" STAGE ")" files? pattern? file_format? copy_option*
    value: "$" NUMBER (":" NAME)? ("::" data_type)?
    STAGE: /@[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,2}(\/[\w\/-]+)?/
    files: "FILES" "=" "(" STRING ("," STRING)* ")"
    pattern: "PATTERN" "=" STRING
    file_format: "FILE_FORMAT" "=" "(" ("FORMAT_NAME" "=" STRING | "TYPE" "=" "PARQUET" parquet_option*) ")"
    parquet_option: ("USE_LOGICAL_TYPE" | "BINARY_AS_TEXT" | "TRIM_SPACE" | "USE_VECTORIZED_SCANNER") "=" truth
    copy_option: "ON_ERROR" "=" ("CONTINUE" | "SKIP_FILE" | "ABORT_STATEMENT") | ("PURGE" | "FORCE" | "ENFORCE_LENGTH") "=" truth
    truth: "TRUE" | "FALSE"

    create_stage: "CREATE" ("OR" "REPLACE")? "STAGE" ("IF" "NOT" "EXISTS")? place "URL" "=" S3 "STORAGE_INTEGRATION" "=" NAME file_format?
    place: NAME ("." NAME)~0..2
    S3: /'s3:\/\/[a-z0-9.-]+\/([^']*\/)?'/

    create_table: "CREATE" ("OR" "REPLACE")? ("TEMPORARY" | "TEMP" | "TRANSIENT")? "TABLE" ("IF" "NOT" "EXISTS")? table elements ("COMMENT" "=" STRING)?
    elements: "(" element ("," element)* ")"
    element: NAME data_type identity? ("NOT" "NULL")? | "PRIMARY" "KEY" column_list
    identity: ("AUTOINCREMENT" | "IDENTITY") ("ORDER" | "NOORDER")?
    data_type: "VARCHAR" ("(" NUMBER ")")? | "TIMESTAMP_NTZ" "(" NUMBER ")" | "DATE" | "NUMBER" "(" NUMBER "," NUMBER ")" | "BOOLEAN" | "DOUBLE"

    create_schema: "CREATE" "SCHEMA" ("IF" "NOT" "EXISTS")? NAME
    alter_table: "ALTER" "TABLE" table "ADD" "COLUMN" ("IF" "NOT" "EXISTS")? NAME data_type
    alter_session: "ALTER" "SESSION" "SET" "TIMEZONE" "=" STRING

    merge: "MERGE" "INTO" table "AS"? NAME "USING" table "AS"? NAME "ON" equal ("AND" equal)* matched* not_matched?
    matched: "WHEN" "MATCHED" ("AND" "(" differ ("OR" differ)* ")")? "THEN" ("UPDATE" "SET" NAME "=" column ("," NAME "=" column)* | "DELETE")
    not_matched: "WHEN" "NOT" "MATCHED" "THEN" "INSERT" column_list? "VALUES" "(" column ("," column)* ")"
    equal: column "=" column
    differ: column "IS" "DISTINCT" "FROM" column
    column: NAME "." NAME

    transaction: "BEGIN" ("TRANSACTION" | "WORK")? | "COMMIT" | "ROLLBACK"

    table: (NAME ".")? NAME
    column_list: "(" NAME ("," NAME)* ")"
"""
    + _TOKENS
)

_OWN_GRAMMAR = {
    "redshift": ("COPY", "CREATE TABLE", "CREATE TEMP TABLE", "CREATE SCHEMA", "ALTER", "COMMENT", "LOCK", "DROP"),
    "snowflake": ("COPY", "CREATE", "ALTER", "MERGE", "BEGIN", "COMMIT", "ROLLBACK"),
}
_SQLGLOT = (exp.Select, exp.Insert, exp.Delete, exp.Update, exp.Create)
"""Statements that sqlglot reads to the last word: nothing of them may be a Command, its word for what it did not read."""

_HEADS = re.compile(r'(SELECT |INSERT INTO [\w."]+ \(|DELETE FROM [\w."]+ (WHERE|USING "\w+" WHERE) |UPDATE [\w.]+ SET |CREATE TEMP TABLE "\w+" AS\n)')
"""sqlglot skips words here that neither warehouse would."""
_FUNCTIONS = {"GETDATE", "SYSDATE", "TO_CHAR", "TO_VARCHAR"}


@cache
def _parser(dialect: str) -> Lark:
    return Lark(REDSHIFT if dialect == "redshift" else SNOWFLAKE, parser="lalr")


@cache
def problem(dialect: str, statement: str) -> str | None:
    """What is wrong with a statement, in one line; None: it is as documented."""
    is_query = " AS\nSELECT " in statement
    if not is_query and statement.startswith(_OWN_GRAMMAR[dialect]):
        try:
            _parser(dialect).parse(statement)
            return None
        except LarkError as error:
            return str(error).splitlines()[0]
    try:
        trees = sqlglot.parse(statement, read=dialect)
    except SqlglotError as error:
        return str(error).splitlines()[0]
    if len(trees) != 1 or not isinstance(trees[0], _SQLGLOT) or trees[0].find(exp.Command):
        return f"sqlglot does not know it: {statement[:40]}"
    unknown = {each.name.upper() for each in trees[0].find_all(exp.Anonymous)} - _FUNCTIONS
    if unknown or _HEADS.match(statement) is None:
        return f"not a function: {unknown}" if unknown else f"not as documented: {statement[:40]}"
    if trees[0].args.get("expression") is None and isinstance(trees[0], exp.Create):
        return "CREATE without a query belongs to the grammar"
    return None

"""The peer in DuckDB: the export as a table of strings, then SQL."""

import json
import sys

import duckdb

from bench.peers.text import EMAIL, TARGET, group_key

READ = """
CREATE TABLE people AS
SELECT row_number() OVER () AS row, userName, coalesce(mail, userName) AS email, department, active,
       lower(userName) AS user_key, lower(coalesce(mail, userName)) AS email_key
FROM (
    SELECT nullif(trim(userPrincipalName), '') AS userName, nullif(trim(mail), '') AS mail, department,
           lower(accountEnabled) IS DISTINCT FROM 'false' AS active
    FROM read_csv($export, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
)
"""

PLACE = f"""
CREATE TABLE placed AS
WITH checked AS (
    SELECT people.*, CASE
        WHEN userName IS NULL THEN 'rejected_no_username'
        WHEN email IS NULL THEN 'rejected_no_email'
        WHEN NOT regexp_matches(email, '{EMAIL}') OR length(email) > 320 THEN 'rejected_bad_email'
    END AS early
    FROM people
), names AS (
    SELECT user_key FROM checked WHERE early IS NULL GROUP BY user_key HAVING count(*) > 1
), single AS (
    SELECT * FROM checked WHERE early IS NULL AND user_key NOT IN (FROM names)
), mails AS (
    SELECT email_key FROM single GROUP BY email_key HAVING count(*) > 1
), reasons AS (
    SELECT row, userName, own, CASE
        WHEN early IS NOT NULL THEN early
        WHEN user_key IN (FROM names) OR email_key IN (FROM mails) THEN 'rejected_duplicate'
        WHEN NOT active THEN 'inactive'
        WHEN own IS NULL THEN 'fallback_blank'
        ELSE 'matched'
    END AS reason
    FROM checked LEFT JOIN keys USING (department)
)
SELECT row, userName, reason,
       CASE reason WHEN 'matched' THEN own WHEN 'fallback_blank' THEN '{TARGET}' END AS group_key
FROM reasons ORDER BY row
"""


def main(export: str, result: str) -> None:
    database = duckdb.connect()
    database.execute(READ, {"export": export})
    departments = database.execute("SELECT DISTINCT department FROM people WHERE department IS NOT NULL").fetchall()
    database.execute("CREATE TABLE keys (department VARCHAR, own VARCHAR)")
    database.executemany("INSERT INTO keys VALUES (?, ?)", [(text, group_key(text) or None) for (text,) in departments])
    database.execute(PLACE)
    database.execute("COPY placed TO $result (FORMAT parquet)", {"result": result})
    reasons = database.execute("SELECT reason, count(*) FROM placed GROUP BY reason").fetchall()
    groups = database.execute(
        "SELECT group_key, count(*) FROM placed WHERE group_key IS NOT NULL GROUP BY group_key"
    ).fetchall()
    json.dump({"reasons": dict(reasons), "groups": dict(groups)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

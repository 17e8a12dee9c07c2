"""Reads what `plimsoll export` wrote with pyarrow and DuckDB, and compares it with the CSV, cell by cell and sum by sum.

usage: read_export.py PARQUET_FOLDER CSV_FOLDER

It knows the types that docs/export.md promises and nothing of how the numbers came about. Prints what it compared; exits with 1 at
the first difference.
"""

import calendar
import csv
import re
import sys
import time
from decimal import Decimal, getcontext
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

getcontext().prec = 60  # sums of 38 digits, exactly

TABLES = ["events", "balances", "positions", "orders", "liquidations", "funding", "income", "income_daily"]
TYPES = {
    pa.int64(): "count",
    pa.string(): "text",
    pa.bool_(): "flag",
    pa.timestamp("ns", tz="UTC"): "time",
}
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


def nanoseconds(text):
    whole, part = MOMENT.fullmatch(text).groups()
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1_000_000_000 + int((part or "").ljust(9, "0"))


def kind_of(field):
    if pa.types.is_decimal128(field.type) and field.type.precision == 38:
        return "decimal"
    return TYPES[field.type]


def plain(kind, column):
    """A column of Arrow as Python has it, moments as nanoseconds."""
    return (column.cast(pa.int64()) if kind == "time" else column).to_pylist()


def expected(kind, text):
    """What a cell of CSV stands for."""
    if text == "":
        return None
    return {"count": int, "decimal": Decimal, "text": str, "time": nanoseconds, "flag": lambda t: t == "true"}[kind](text)


def compare(name, parquet, text):
    table = pq.read_table(parquet / f"{name}.parquet")
    with open(text / f"{name}.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert table.column_names == header, f"{name}: {table.column_names} and {header}"
    assert table.num_rows == len(rows), f"{name}: {table.num_rows} and {len(rows)} rows"
    assert b"plimsoll.journal" in (table.schema.metadata or {}), f"{name}: no journal in {table.schema.metadata}"
    source = str(parquet / f"{name}.parquet").replace("'", "''")
    sums = 0
    for at, field in enumerate(table.schema):
        kind = kind_of(field)
        wanted = [expected(kind, row[at]) for row in rows]
        for place, (found, want) in enumerate(zip(plain(kind, table.column(at)), wanted)):
            assert found == want, f"{name}.{field.name} row {place}: {found!r} in Parquet, {want!r} in CSV"
        if kind == "decimal":
            [found] = duckdb.sql(f"select sum(\"{field.name}\"), count(\"{field.name}\") from '{source}'").fetchall()
            some = [want for want in wanted if want is not None]
            assert found == (sum(some) if some else None, len(some)), f"{name}.{field.name}: DuckDB sums to {found}"
            sums += 1
    return table.num_rows, sums


def hold(parquet):
    """The sums that docs/export.md shows, by DuckDB alone."""
    rows = duckdb.connect()
    for name in ("balances", "positions", "income"):
        rows.read_parquet(str(parquet / f"{name}.parquet")).create_view(name)
    one = lambda sql: rows.sql(sql).fetchall()
    vault = one(
        "select asset, sum(case when kind = 'vault' then -wallet else wallet end) from balances group by asset"
    )
    assert vault and all(rest == 0 for _, rest in vault), f"balances are not the vault: {vault}"
    sizes = one("select market, sum(size) from positions group by market")
    assert all(size == 0 for _, size in sizes), f"positions do not sum to zero: {sizes}"
    apart = one(
        "select * from (select account_id, asset, sum(amount) total from income group by all having total <> 0)"
        " full join (select account_id, asset, wallet from balances where account_id is not null and wallet <> 0)"
        " using (account_id, asset) where total is distinct from wallet"
    )
    assert not apart, f"income is not what is in the wallets: {apart[:3]}"


def main():
    parquet, text = map(Path, sys.argv[1:])
    done = {name: compare(name, parquet, text) for name in TABLES}
    hold(parquet)
    shown = ", ".join(f"{name} {rows}" for name, (rows, _) in done.items())
    print(f"rows: {shown}; {sum(sums for _, sums in done.values())} sums of DuckDB")


try:
    main()
except AssertionError as difference:
    sys.exit(f"differs: {difference}")

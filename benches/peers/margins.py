"""Maintenance margins of many accounts in NumPy, in binary floating point, from the same file as `plimsoll margin --accounts`.

`margins.py PLIMSOLL ACCOUNTS.parquet PRICES.toml FIGURES.parquet`, after `cargo bench -p plimsoll-cli --bench accounts`, which
makes the files. Prints how long reading and computing take, and the largest relative difference to ours. The tiers are asked from
the command, outside the time. Needs numpy and pyarrow.
"""

import re
import subprocess
import sys
import time
import tomllib

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

RULEBOOK = "binance-usdm@2025-10-10"
TIER = re.compile(r"^(\S+) tier \d+ +up to ([\d.]+): .*maintenance ([\d.]+)%, deduction ([\d.]+)")


def tiers(plimsoll):
    """Of each market: caps, rates and deductions, lowest tier first."""
    text = subprocess.run([plimsoll, "rulebook", "show", RULEBOOK], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        if match := TIER.match(line):
            market, cap, rate, deduction = match.groups()
            found.setdefault(market, []).append((float(cap), float(rate) / 100, float(deduction)))
    return {market: np.array(rows).T for market, rows in found.items()}


def maintenance(code, size, starts, markets, marks, ladders):
    """Of each account: the sum over its positions of notional × rate − deduction."""
    margin = np.empty(len(size))
    for number, market in enumerate(markets):
        caps, rates, deductions = ladders[market]
        here = code == number
        notional = np.abs(size[here]) * marks[market]
        tier = np.searchsorted(caps, notional)
        margin[here] = notional * rates[tier] - deductions[tier]
    return np.add.reduceat(margin, starts)


def main():
    plimsoll, accounts, prices, figures = sys.argv[1:5]
    ladders = tiers(plimsoll)
    with open(prices, "rb") as file:
        marks = {market: float(row["mark"]) for market, row in tomllib.load(file)["prices"].items()}
    before = time.perf_counter()
    table = pq.read_table(accounts, columns=["account", "market", "size"], use_threads=False,
                          read_dictionary=["market"])
    table = table.combine_chunks().unify_dictionaries()
    market = table["market"].chunk(0)
    code, markets = market.indices.to_numpy(), market.dictionary.to_pylist()
    size = pc.cast(table["size"], "float64").to_numpy()
    names = table["account"].combine_chunks()
    is_first = pc.not_equal(names.slice(1), names.slice(0, len(names) - 1)).to_numpy(zero_copy_only=False)
    starts = np.concatenate(([0], np.flatnonzero(is_first) + 1))
    read = time.perf_counter()
    ours = maintenance(code, size, starts, markets, marks, ladders)
    computed = time.perf_counter()
    exact = pq.read_table(figures, columns=["maintenance_margin"])["maintenance_margin"]
    exact = pc.cast(exact, "float64").to_numpy()
    assert len(ours) == len(exact), (len(ours), len(exact))
    off = np.max(np.abs(ours - exact) / np.maximum(exact, 1e-9))
    print(f"{len(ours):,} accounts, {len(size):,} positions, numpy {np.__version__}")
    print(f"{read - before:6.3f} s read into arrays, one thread")
    print(f"{computed - read:6.3f} s maintenance margins in float64; largest relative difference to ours {off:.1e}")


main()

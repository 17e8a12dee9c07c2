"""Prints the table of a run: `report.py DIR`, with DIR/results.tsv (job, version, ns, note) and DIR/PEER.reason.

Of each job the best run counts. Ratios are time of the job over time of ours in the same run: above 1, ours is faster.
"""

import pathlib
import sys

# job: (peer, what is done, accounts, book, margin, both sides)
JOBS = {
    "plimsoll-flow": ("Plimsoll", "flow", "100,000 in 20 markets", "yes", "cross, tiers", "yes"),
    "lrvx-flow": ("lrvx", "flow", "100,000 in 20 markets", "yes", "isolated", "yes"),
    "lrvx-flow-hash": ("lrvx", "flow, events hashed", "100,000 in 20 markets", "yes", "isolated", "yes"),
    "plimsoll-hot": ("Plimsoll", "hot", "2 in 1 market", "yes", "cross, tiers", "yes"),
    "lrvx-hot": ("lrvx", "hot", "2 in 1 market", "yes", "isolated", "yes"),
    "lfest-hot": ("lfest", "hot", "1 in 1 market", "no", "isolated", "no"),
    "nautilus-hot": ("nautilus_trader", "hot, a tick per order", "1 in 1 market", "top only", "leverage", "no"),
}


def main():
    work = pathlib.Path(sys.argv[1])
    best = {}
    for line in (work / "results.tsv").read_text().splitlines():
        job, version, ns, note = line.split("\t")
        if job not in best or float(ns) < best[job][1]:
            best[job] = (version, float(ns), note)
    flow, hot = best["plimsoll-flow"][1], best["plimsoll-hot"][1]
    rows = [("peer", "version", "job", "accounts", "book", "margin", "both sides", "ns/order", "orders/s",
             "÷ ours flow", "÷ ours hot", "result")]
    for job, (peer, what, accounts, book, margin, both) in JOBS.items():
        if job in best:
            version, ns, note = best[job]
            numbers = (f"{ns:,.0f}", f"{1e9 / ns:,.0f}", f"{ns / flow:.2f}", f"{ns / hot:.2f}", note)
        else:
            reason = work / f"{job.split('-')[0]}.reason"
            why = reason.read_text().strip() if reason.exists() else "no result"
            version, numbers = "", ("", "", "", "", f"not measured: {why}")
        rows.append((peer, version, what, accounts, book, margin, both, *numbers))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


main()

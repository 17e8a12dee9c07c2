"""Reference values of options: rulebooks/plimsoll/vectors/options.json, with 50 digits and more, printed to 25.

    python3 rulebooks/plimsoll/vectors/options.py [OPTION_VALUES.json] > rulebooks/plimsoll/vectors/options.json

Needs mpmath 1.3; OPTION_VALUES.json holds the given values, which are carried as they stand; without it those of the present file
are kept. Inputs are the doubles nearest to their text and years are hours / 8760 divided as doubles. Prices come from formulas
that cancel, with digits enough for it: Black-76 with its two normal distributions, the perpetual option in the two-sided form
whose constants are solved from value and slope at the strike. Greeks are numerical derivatives. Every fortieth row is also compared
with the integral (1/T) int exp(-t/T) Black(t) dt.
"""
import json
import os
import sys
from mpmath import mp, mpf, diff, erfc, exp, inf, log, matrix, lu_solve, nstr, quad, sqrt

mp.dps = 50
HOURS = [1, 8, 24, 168, 720, 8760]
VOLATILITIES = [0.01, 0.05, 0.2, 0.6, 1.0, 2.0, 5.0]
STRIKE = 60000.0
MONEYNESS = [0.001, 0.03, 0.3, 0.8, 0.97, 0.999, 0.99999, 1.0, 1.00001, 1.001, 1.02, 1.3, 4.0, 40.0, 1000.0]


def normal(d):
    return erfc(-d / sqrt(2)) / 2


def black(f, k, sigma, t, discount=1, call=True):
    """Textbook form; loses digits and has enough of them."""
    with mp.workdps(mp.dps + 100):
        s = sigma * sqrt(t)
        d1 = log(f / k) / s + s / 2
        sign = 1 if call else -1
        return +(discount * sign * (f * normal(sign * d1) - k * normal(sign * (d1 - s))))


def perpetual(s, k, sigma, t, r=mpf(0), call=True):
    """C = a S^p below the strike, S - K' + b S^q from it on; p, q solve the equation, a, b join value and slope at S = K."""
    with mp.workdps(mp.dps + 40):
        half = sigma * sigma / 2
        root = sqrt((r - half) ** 2 + 4 * half * (r + 1 / t))
        p, q = (-(r - half) + root) / (2 * half), (-(r - half) - root) / (2 * half)
        less = k / (1 + r * t)
        # In units of K: a = K - K' + b and a p = K + b q.
        a, b = lu_solve(matrix([[1, -1], [p, -q]]), matrix([k - less, k]))
        value = a * (s / k) ** p if s < k else s - less + b * (s / k) ** q
        return +(value if call else value - s + less)


def integral(s, k, sigma, t, r=mpf(0)):
    """Substituted t x^2 for time, so that the integrand is smooth."""
    with mp.workdps(20):
        def at(x):
            time = t * x * x
            if time == 0:
                return mpf(0)
            forward = s * exp(r * time)
            return 2 * x * exp(-x * x) * black(forward, k, sigma, time, exp(-r * time))
        with mp.extradps(5):
            return quad(at, [0, 0.2, 0.5, 1, 1.5, 2, 3, 4, 6, 10])


def texts(values):
    return [nstr(value, 25) for value in values]


def derivatives(price, s, sigma):
    """Delta of the call, gamma, vega: by differences of a function with many digits."""
    with mp.workdps(60):
        delta = diff(lambda x: price(x, sigma), s)
        gamma = diff(lambda x: price(x, sigma), s, 2)
        vega = diff(lambda x: price(s, x), sigma)
    return delta, gamma, vega


def row(name, s, k, sigma, hours, extra, price):
    inputs = [repr(s), repr(k), repr(sigma), repr(hours), *map(repr, extra)]
    s, k, sigma, years = mpf(s), mpf(k), mpf(sigma), mpf(hours / 8760.0)
    extra = [mpf(x) for x in extra]
    call, put = price(s, k, sigma, years, *extra), price(s, k, sigma, years, *extra, call=False)
    greeks = derivatives(lambda x, v: price(x, k, v, years, *extra), s, sigma)
    row.count += 1
    if name == "perpetual" and row.count % 40 == 0:
        other = integral(s, k, sigma, years, *extra)
        assert abs(call - other) < mpf(10) ** -12 * k, (inputs, call, other)
        row.integrals += 1
    return inputs + texts([call, put, *greeks])


row.count = row.integrals = 0


def sweep(name, price, extras):
    rows = []
    for sigma in VOLATILITIES:
        for hours in HOURS:
            for at, m in enumerate(MONEYNESS):
                # Each volatility and period with some of the other numbers; all with the first.
                for turn, extra in enumerate(extras):
                    if turn == 0 or (at + HOURS.index(hours) + VOLATILITIES.index(sigma)) % 6 == turn - 1:
                        rows.append(row(name, m * STRIKE, STRIKE, sigma, hours, extra, price))
    return rows


def given(path):
    if path is None:
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "options.json")
        return json.load(open(here))["given"]
    values = json.load(open(path))
    keys = ["everlasting", "everlasting_with_rate", "black76"]
    drop = {"u", "call_discrete_N1_just_after_funding", "check_quadrature_abs_over_K"}
    return {key: [{k: v for k, v in one.items() if k not in drop} for one in values[key]] for key in keys}


def main():
    carried = given(sys.argv[1] if len(sys.argv) > 1 else None)
    rates = [(0.0,), (-0.05,), (0.0002,), (0.1095,), (0.5,), (1.0,), (-0.5,)]
    discounts = [(1.0,), (0.95,), (1.01,)]
    perpetuals = sweep("perpetual", perpetual, rates)
    # 2r = sigma^2, where the published two-part form divides by zero.
    for sigma, r in [(0.5, 0.125), (1.0, 0.5), (0.25, 0.03125)]:
        for m in (0.5, 0.9, 1.0, 1.2, 3.0):
            perpetuals.append(row("perpetual", m * STRIKE, STRIKE, sigma, 168, (r,), perpetual))
    dated = sweep("dated", black, discounts)
    print(json.dumps({"schema": "plimsoll.options/1"})[:-1] + ',\n"given": {')
    lines = [f'"{key}": [\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in rows) + "]" for key, rows in carried.items()]
    print(",\n".join(lines) + "},")
    head = ["spot", "strike", "volatility", "hours", "interest|discount", "call", "put", "delta_call", "gamma", "vega"]
    print('"columns": ' + json.dumps(head) + ",")
    for name, rows, end in (("perpetual", perpetuals, ","), ("dated", dated, "}")):
        print(f'"{name}": [\n' + ",\n".join(json.dumps(one, separators=(",", ":")) for one in rows) + f"]{end}")
    print(f"{row.count} rows, {row.integrals} compared with the integral", file=sys.stderr)


main()

"""Makes `options.json` with mpmath 1.3 at 50 digits: `python3 options.py > options.json`.

Every value comes of the definition and not of the form that the engine computes: a perpetual option is the integral of dated ones
over exponentially distributed expiries in its closed form at 50 digits, compared here with quadrature on some rows; greeks are
derivatives that mpmath takes.
"""
import json
import mpmath as mp

mp.mp.dps = 50
DIGITS = 25


def phi_(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2


def black(f, k, sigma, t, d):
    s = sigma * mp.sqrt(t)
    d1 = mp.log(f / k) / s + s / 2
    call = f * phi_(d1) - k * phi_(d1 - s)
    put = k * phi_(s - d1) - f * phi_(-d1)
    return d * call, d * put


def perpetual(spot, k, sigma, period, r):
    """The A and B of two exponentials from continuity of value and slope at the strike."""
    q = sigma * sigma
    # ½ q S² V'' + r S V' − V (r + 1/T) + payoff/T = 0
    a, b, c = q / 2, r - q / 2, -(r + 1 / period)
    root = mp.sqrt(b * b - 4 * a * c)
    plus, minus = (-b + root) / (2 * a), (-b - root) / (2 * a)
    k1 = k / (1 + r * period)
    # below: A (S/K)^plus; above: S − k1 + B (S/K)^minus
    gap = k - k1
    big_b = (k - gap * plus) / (plus - minus)
    big_a = gap + big_b
    call = big_a * (spot / k) ** plus if spot < k else spot - k1 + big_b * (spot / k) ** minus
    put = call - spot + k1 if spot < k else big_b * (spot / k) ** minus
    return call, put


def integral(spot, k, sigma, period):
    def at(x):
        t = period * x
        return mp.exp(-x) * black(spot, k, sigma, t, mp.mpf(1))[0]

    return mp.quad(at, [0, 0.01, 0.1, 0.5, 1, 2, 4, 8, 16, 32, 64, 128])


def text(x):
    return mp.nstr(x, DIGITS, min_fixed=-400, max_fixed=400)


def row(kind, names, inputs, value):
    numbers = [mp.mpf(x) for x in inputs]
    call, put = value(*numbers)
    first = lambda x: value(x, *numbers[1:])[0]
    vol = lambda x: value(numbers[0], numbers[1], x, *numbers[3:])[0]
    at_strike = numbers[0] == numbers[1] and kind == "perpetual"
    out = {"kind": kind, **dict(zip(names, inputs)), "call": text(call), "put": text(put)}
    if not at_strike:  # the second derivative jumps there, which differences cannot take
        out["delta_call"] = text(mp.diff(first, numbers[0], h=numbers[0] * mp.mpf(10) ** -20))
        out["gamma"] = text(mp.diff(first, numbers[0], 2, h=numbers[0] * mp.mpf(10) ** -14))
    out["vega"] = text(mp.diff(vol, numbers[2], h=mp.mpf(10) ** -20))
    return out


rows = []
ratios = ["0.001", "0.02", "0.3", "0.7", "0.9", "0.99", "0.9999", "1", "1.0002", "1.015", "1.2", "2.5", "40", "1000"]
hour, day = "0.00011415525114155251", "0.0027397260273972603"
for sigma in ["0.01", "0.2", "0.6", "1.5", "5"]:
    for period in [hour, day, "0.019178082191780823", "0.25", "1"]:
        for ratio in ratios:
            spot = str(mp.nstr(60000 * mp.mpf(ratio), 15))
            rows.append(row("perpetual", ["spot", "strike", "volatility", "period", "rate"], [spot, "60000", sigma, period, "0"], perpetual))
            rows.append(row("dated", ["forward", "strike", "volatility", "time", "discount"], [spot, "60000", sigma, period, "0.97"], black))
for rate in ["-0.05", "0.1095", "0.5"]:
    for sigma in ["0.2", "0.6", "2.5"]:
        for ratio in ["0.5", "0.95", "1", "1.05", "2"]:
            spot = str(mp.nstr(60000 * mp.mpf(ratio), 15))
            rows.append(row("perpetual", ["spot", "strike", "volatility", "period", "rate"], [spot, "60000", sigma, "0.019178082191780823", rate], perpetual))
for ratio, sigma, period in [("0.9", "0.6", day), ("1", "1.5", "0.25"), ("1.2", "5", "1")]:
    spot = 60000 * mp.mpf(ratio)
    closed = perpetual(spot, mp.mpf(60000), mp.mpf(sigma), mp.mpf(period), mp.mpf(0))[0]
    assert abs(integral(spot, mp.mpf(60000), mp.mpf(sigma), mp.mpf(period)) - closed) < mp.mpf(10) ** -12 * 60000
print(json.dumps({"schema": "plimsoll.options/1", "rows": rows}, indent=0))

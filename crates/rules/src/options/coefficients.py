"""Makes the coefficients of `numeric.rs` with mpmath 1.3 at 60 digits: `python3 coefficients.py`, printed as Rust."""
import mpmath as mp

mp.mp.dps = 60
K = mp.mpf("5.6")  # where the map u = (a - K) / (a + K) has its middle
TERMS = 27


def mills(a):
    if a < 35:
        return mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) * mp.sqrt(mp.pi / 2)
    total, term = mp.mpf(0), mp.mpf(1)
    for n in range(60):
        total += term
        term *= -(2 * n + 1) / (a * a)
        if abs(term) < mp.mpf(10) ** -55:
            break
    return total / a


def scaled(u):
    if u >= 1:
        return mp.mpf(2)
    a = K * (1 + u) / (1 - u)
    return (1 + 2 * a) * mills(a)


N = 64
nodes = [mp.cos(mp.pi * (j + mp.mpf(1) / 2) / N) for j in range(N)]
values = [scaled(u) for u in nodes]
chebyshev = [
    2 / mp.mpf(N) * sum(values[j] * mp.cos(i * mp.pi * (j + mp.mpf(1) / 2) / N) for j in range(N)) for i in range(TERMS)
]
chebyshev[0] /= 2
rest = sum(abs(2 / mp.mpf(N) * sum(values[j] * mp.cos(i * mp.pi * (j + mp.mpf(1) / 2) / N) for j in range(N))) for i in range(TERMS, 50))
print(f"/// What is left out is below {mp.nstr(rest, 2)}.")
print(f"const MILLS: [f64; {TERMS}] = [")
for c in chebyshev:
    print(f"    {float(c)!r},")
print("];")
print(f"const LN2_HIGH: f64 = {float(int(mp.log(2) * 2**32)) / 2**32!r};")
print(f"const LN2_LOW: f64 = {float(mp.log(2) - mp.mpf(int(mp.log(2) * 2**32)) / 2**32)!r};")
print(f"const SQRT_2_PI: f64 = {float(mp.sqrt(2 * mp.pi))!r};")

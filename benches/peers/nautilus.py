"""nautilus_trader under the sides of our order flow: one market order per quote tick, one account, one perpetual.

`nautilus.py FLOW [TICKS]`. Time stamps start in 2023: at 0 this version aborts. Building ticks and engine is not timed.
"""

import struct
import sys
import time
from decimal import Decimal

import nautilus_trader
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

START = 1_690_000_000_000_000_000
VENUE = Venue("SIM")
PERP = InstrumentId(Symbol("M0-PERP"), VENUE)


class EachTick(Strategy):
    """Sends one market order of size 1 per quote."""

    def __init__(self, sides):
        super().__init__(StrategyConfig(strategy_id="each-tick"))
        self.sides = iter(sides)
        self.size = Quantity.from_int(1)
        self.filled = 0

    def on_start(self):
        self.subscribe_quote_ticks(PERP)

    def on_quote_tick(self, tick):
        self.submit_order(self.order_factory.market(PERP, next(self.sides), self.size))

    def on_order_filled(self, event):
        self.filled += 1


def perpetual():
    return CryptoPerpetual(
        instrument_id=PERP, raw_symbol=PERP.symbol, base_currency=BTC, quote_currency=USDT, settlement_currency=USDT,
        is_inverse=False, price_precision=2, price_increment=Price.from_str("0.01"), size_precision=0,
        size_increment=Quantity.from_int(1), margin_init=Decimal("0.02"), margin_maint=Decimal("0.01"),
        maker_fee=Decimal("0.0002"), taker_fee=Decimal("0.0005"), ts_event=START, ts_init=START,
    )


def main():
    ticks_max = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with open(sys.argv[1], "rb") as file:
        records = list(struct.iter_unpack("<IHBBi", file.read(12 * ticks_max)))
    sides = [OrderSide.BUY if record[2] == 0 else OrderSide.SELL for record in records]

    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), run_analysis=False,
        risk_engine=RiskEngineConfig(max_order_submit_rate="1000000/00:00:01"),
    )
    engine = BacktestEngine(config)
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(100_000_000, USDT)], base_currency=USDT,
                     default_leverage=Decimal(50))
    engine.add_instrument(perpetual())
    bid, ask, depth = Price.from_str("99.99"), Price.from_str("100.01"), Quantity.from_int(1_000)
    engine.add_data([QuoteTick(PERP, bid, ask, depth, depth, at, at)
                     for at in range(START, START + len(sides) * 1_000_000, 1_000_000)])
    strategy = EachTick(sides)
    engine.add_strategy(strategy)

    cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
    engine.run()
    cpu, wall = time.thread_time_ns() - cpu, time.perf_counter_ns() - wall
    note = f"{strategy.filled} fills, {len(sides) - strategy.filled} refused, wall {wall / len(sides):.0f} ns"
    print(f"nautilus-hot\t{nautilus_trader.__version__}\t{cpu / len(sides):.2f}\t{note}")


main()

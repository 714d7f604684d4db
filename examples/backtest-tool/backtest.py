"""What a simple trading rule would have earned on a series of closing prices, to the cent.

The rule: buy with all the cash when the close has dropped by so many percent, sell everything when it stands so many percent above the
price that was paid. `run_backtest` says exactly what that means.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Iterator, Sequence


class BacktestError(Exception):
    """A series or a rule that cannot be used; the message says why, for people and for models."""


@dataclass(frozen=True)
class Close:
    """The price at which a day ended."""

    day: date
    price: Decimal


@dataclass(frozen=True)
class Rule:
    """When to buy and sell, and with what. Percentages are as people write them: 5 is 5 %."""

    buy_drop_percent: Decimal
    sell_profit_percent: Decimal
    initial_cash: Decimal = Decimal(10_000)
    fee_percent: Decimal = Decimal(0)

    @staticmethod
    def from_arguments(arguments: dict[str, Any]) -> Rule:
        """Reads the arguments of the tool, which its JSON Schema has let through."""
        # Through the text: a float such as 0.1 is not the number that was written, and its shortest spelling is.
        numbers = {name: Decimal(str(value)) for name, value in arguments.items() if name not in ("from", "to")}
        return Rule(
            buy_drop_percent=numbers["buyDropPercent"],
            sell_profit_percent=numbers["sellProfitPercent"],
            initial_cash=numbers.get("initialCash", Rule.initial_cash),
            fee_percent=numbers.get("feePercent", Rule.fee_percent),
        )


@dataclass
class Trade:
    """Shares that were bought, and sold unless the series ended first. Fees are in `cost` and `proceeds`."""

    bought: Close
    shares: int
    cost: Decimal
    sold: Close | None = None
    proceeds: Decimal = Decimal(0)

    def profit(self, last: Close) -> Decimal:
        """What it earned; as long as it is open, at the last close and without the fee of a sale."""
        return (self.proceeds if self.sold else self.shares * last.price) - self.cost


@dataclass(frozen=True)
class Result:
    """What became of the cash."""

    rule: Rule
    closes: Sequence[Close]
    trades: Sequence[Trade]
    final_value: Decimal
    # The largest fall of the account's value, cash and shares at the close, below the highest that it had reached; 0.1 is 10 %.
    max_drawdown: Fraction

    @property
    def total_return(self) -> Fraction:
        """What was gained of what was put in; 0.1 is 10 %."""
        return Fraction(self.final_value) / Fraction(self.rule.initial_cash) - 1


def read_prices(path: Path) -> list[Close]:
    """Reads a CSV file with the columns `date` (YYYY-MM-DD, ascending) and `close` (a positive decimal)."""
    closes: list[Close] = []
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        if not {"date", "close"} <= set(rows.fieldnames or []):
            raise BacktestError(f"{path.name}: the first line must name the columns date and close")
        for row in rows:
            try:
                close = Close(date.fromisoformat(row["date"]), Decimal(row["close"]))
                if not (close.price.is_finite() and close.price > 0):
                    raise ValueError("the close is not a positive number")
                if closes and close.day <= closes[-1].day:
                    raise ValueError("the date does not come after the one before")
            except (ArithmeticError, TypeError, ValueError) as error:
                raise BacktestError(f"{path.name}, line {rows.line_num}: {error or 'the close is no number'}") from error
            closes.append(close)
    if not closes:
        raise BacktestError(f"{path.name} has no prices")
    return closes


def between(closes: Sequence[Close], first: date | None, last: date | None) -> list[Close]:
    """The closes from one day to another, both included."""
    chosen = [close for close in closes if (first is None or close.day >= first) and (last is None or close.day <= last)]
    if not chosen:
        raise BacktestError(f"There are no prices in that time: they run from {closes[0].day} to {closes[-1].day}.")
    return chosen


def run_backtest(closes: Sequence[Close], rule: Rule) -> Result:
    """Follows the rule day by day, of which there is one at least; each trades once at most, at its close.

    - Without shares: buy when the close is at least `buy_drop_percent` below the highest close since the last sale, that day included, or
      since the series began. As many whole shares are bought as the cash pays for, fee included.
    - With shares: sell all of them when the close is at least `sell_profit_percent` above the close at which they were bought, fees aside.
    - The fee is `fee_percent` of what is bought or sold, rounded to cents, half a cent up.
    - At the end shares are kept, and worth the last close.
    """
    cash = rule.initial_cash
    holding: Trade | None = None
    trades: list[Trade] = []
    highest_close = Decimal(0)
    highest_value = rule.initial_cash
    max_drawdown = Fraction(0)

    for close in closes:
        if holding is None:
            highest_close = max(highest_close, close.price)
            if close.price * 100 <= highest_close * (100 - rule.buy_drop_percent):
                shares = affordable(cash, close.price, rule)
                if shares:
                    holding = Trade(close, shares, cost=shares * close.price + fee(shares * close.price, rule))
                    cash -= holding.cost
                    trades.append(holding)
        elif close.price * 100 >= holding.bought.price * (100 + rule.sell_profit_percent):
            value = holding.shares * close.price
            holding.sold, holding.proceeds = close, value - fee(value, rule)
            cash += holding.proceeds
            holding = None
            highest_close = close.price

        value = cash + (holding.shares * close.price if holding else 0)
        highest_value = max(highest_value, value)
        max_drawdown = max(max_drawdown, 1 - Fraction(value) / Fraction(highest_value))

    return Result(rule, closes, trades, final_value=value, max_drawdown=max_drawdown)


def fee(value: Decimal, rule: Rule) -> Decimal:
    """What a purchase or a sale of that value costs."""
    return (value * rule.fee_percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def affordable(cash: Decimal, price: Decimal, rule: Rule) -> int:
    """How many whole shares the cash pays for, with the fee."""
    shares = int(cash * 100 / (price * (100 + rule.fee_percent)))
    # The fee's rounding decides about the last one.
    while (shares + 1) * price + fee((shares + 1) * price, rule) <= cash:
        shares += 1
    while shares and shares * price + fee(shares * price, rule) > cash:
        shares -= 1
    return shares


# What people and programs see


def data(result: Result) -> dict[str, Any]:
    """The result for programs. Amounts and percentages are decimals in strings, so that none of them passes through a float."""
    last = result.closes[-1]
    trades = []
    for trade in result.trades:
        entry: dict[str, Any] = {
            "buyDate": str(trade.bought.day),
            "buyPrice": str(trade.bought.price),
            "shares": trade.shares,
            "profit": amount(trade.profit(last)),
        }
        if trade.sold:
            entry |= {"sellDate": str(trade.sold.day), "sellPrice": str(trade.sold.price)}
        trades.append(entry)
    return {
        "from": str(result.closes[0].day),
        "to": str(last.day),
        "closes": len(result.closes),
        "initialCash": amount(result.rule.initial_cash),
        "finalValue": amount(result.final_value),
        "totalReturnPercent": percent(result.total_return),
        "maxDrawdownPercent": percent(result.max_drawdown),
        "trades": trades,
    }


def markdown(result: Result) -> str:
    """The result for people and for the model: Markdown that reads well in a terminal, too."""
    rule, last = result.rule, result.closes[-1]
    fees = f", with fees of {plain(rule.fee_percent)} %" if rule.fee_percent else ""
    lines = [
        f"**Buy after a drop of {plain(rule.buy_drop_percent)} %, sell at a profit of {plain(rule.sell_profit_percent)} %**{fees}: "
        f"{len(result.closes)} closes, {result.closes[0].day} to {last.day}",
        "",
        f"- Total return: **{signed(percent(result.total_return))} %** "
        f"({amount(rule.initial_cash)} became {amount(result.final_value)})",
        f"- Maximum drawdown: **{percent(result.max_drawdown)} %**",
        f"- Trades: {len(result.trades)}",
    ]
    if result.trades:
        lines += ["", *table(result)]
    return "\n".join(lines)


def table(result: Result) -> Iterator[str]:
    """The trades, one a line, in columns of equal width."""
    last = result.closes[-1]
    rows = [("bought", "at", "shares", "sold", "at", "profit")]
    for trade in result.trades:
        sold = (str(trade.sold.day), str(trade.sold.price)) if trade.sold else ("not yet", str(last.price))
        rows.append(
            (str(trade.bought.day), str(trade.bought.price), str(trade.shares), *sold, signed(amount(trade.profit(last))))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    is_number = [False, True, True, False, True, True]
    for number, row in enumerate(rows):
        cells = [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, is_number)]
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 1) + (':' if right else '-') for width, right in zip(widths, is_number))}|"


def amount(value: Decimal) -> str:
    """An amount to the cent."""
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def percent(ratio: Fraction) -> str:
    """A ratio in percent, to two places; rounded here for the first time, from the exact value."""
    hundredths = abs(ratio) * 10_000
    rounded = int(hundredths + Fraction(1, 2))
    return f"{'-' if ratio < 0 and rounded else ''}{rounded // 100}.{rounded % 100:02}"


def signed(number: str) -> str:
    """A number with a sign, whatever it is."""
    return number if number.startswith("-") else f"+{number}"


def plain(number: Decimal) -> str:
    """A number without zeros that say nothing."""
    return f"{number.normalize():f}"

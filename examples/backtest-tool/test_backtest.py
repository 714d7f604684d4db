"""The numbers of backtest.py, most of them computed by hand."""

import json
import tempfile
import unittest
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import backtest
import client
from backtest import BacktestError, Close, Rule
from parley import HostRequest

FIVE_TEN = Rule(Decimal(5), Decimal(10), initial_cash=Decimal(1000))


def series(*prices: str) -> list[Close]:
    return [Close(date(2025, 1, 1) + timedelta(days=index), Decimal(price)) for index, price in enumerate(prices)]


class RuleTests(unittest.TestCase):
    def test_a_series_computed_by_hand(self):
        #                 5 % below 104 is 98.80: bought there, not at 98.81; 10 % above is 108.68: sold there, not at 108.67.
        closes = series("100", "104", "98.81", "98.80", "90", "108.67", "108.68", "105", "103.24", "100")
        result = backtest.run_backtest(closes, FIVE_TEN)

        first, second = result.trades
        # 10 shares for 988.00, 12.00 left; sold for 1086.80, which makes 1098.80.
        self.assertEqual((first.bought, first.shares, first.sold), (closes[3], 10, closes[6]))
        self.assertEqual(first.profit(closes[-1]), Decimal("98.80"))
        # 5 % below 108.68, the price of the sale, is 103.246: 10 shares for 1032.40, 66.40 left, and at the end worth 1000.00.
        self.assertEqual((second.bought, second.shares, second.sold), (closes[8], 10, None))
        self.assertEqual(second.profit(closes[-1]), Decimal("-32.40"))
        self.assertEqual(result.final_value, Decimal("1066.40"))
        # From 1000.00 to 912.00, on the fifth day.
        self.assertEqual(
            backtest.data(result),
            {
                "from": "2025-01-01", "to": "2025-01-10", "closes": 10, "initialCash": "1000.00", "finalValue": "1066.40",
                "totalReturnPercent": "6.64", "maxDrawdownPercent": "8.80",
                "trades": [
                    {
                        "buyDate": "2025-01-04", "buyPrice": "98.80", "shares": 10, "profit": "98.80",
                        "sellDate": "2025-01-07", "sellPrice": "108.68",
                    },
                    {"buyDate": "2025-01-09", "buyPrice": "103.24", "shares": 10, "profit": "-32.40"},
                ],
            },
        )

    def test_fees_are_paid_both_times_and_rounded_to_cents(self):
        # 10 × 95.01 is 950.10, 1 % of it 9.501; 10 × 104.52 is 1045.20, 1 % of it 10.452.
        rule = Rule(Decimal(5), Decimal(10), initial_cash=Decimal(1000), fee_percent=Decimal(1))
        result = backtest.run_backtest(series("100.02", "95.01", "104.52"), rule)
        self.assertEqual(result.trades[0].cost, Decimal("959.60"))
        self.assertEqual(result.trades[0].proceeds, Decimal("1034.75"))
        self.assertEqual(result.final_value, Decimal("1075.15"))
        # The fee alone takes the account below what it began with.
        self.assertEqual(backtest.data(result)["maxDrawdownPercent"], "0.95")
        self.assertEqual(backtest.fee(Decimal(1), Rule(Decimal(5), Decimal(10), fee_percent=Decimal("0.5"))), Decimal("0.01"))

    def test_the_day_of_a_sale_begins_the_next_wait(self):
        # Sold at 120: 114 is 5 % below that, though far above the first purchase.
        result = backtest.run_backtest(series("100", "95", "120", "114"), FIVE_TEN)
        self.assertEqual([str(trade.bought.price) for trade in result.trades], ["95", "114"])

    def test_a_rule_that_never_buys_keeps_its_cash(self):
        for closes in [series("100", "101", "102"), series("2000", "1500", "1000.01")]:
            result = backtest.run_backtest(closes, FIVE_TEN)
            self.assertEqual((list(result.trades), result.final_value, result.total_return, result.max_drawdown), ([], 1000, 0, 0))
            self.assertNotIn("|", backtest.markdown(result))

    def test_the_cash_pays_for_no_share_more(self):
        for fee_percent in ["0", "0.1", "0.25", "3"]:
            rule = Rule(Decimal(5), Decimal(10), fee_percent=Decimal(fee_percent))
            for cents in range(1, 3000, 7):
                price, cash = Decimal(cents) / 100, Decimal("29.99")
                cost = lambda shares: shares * price + backtest.fee(shares * price, rule)
                shares = backtest.affordable(cash, price, rule)
                self.assertTrue(shares == 0 or cost(shares) <= cash, (fee_percent, price, shares))
                self.assertGreater(cost(shares + 1), cash, (fee_percent, price, shares))

    def test_percentages_are_rounded_once_and_have_no_negative_zero(self):
        ratio = lambda text: backtest.percent(backtest.Fraction(text))
        self.assertEqual([ratio("0.12345"), ratio("-0.12345"), ratio("-0.00004"), ratio("-0.00005"), ratio("12.5")],
                         ["12.35", "-12.35", "0.00", "-0.01", "1250.00"])


class PriceTests(unittest.TestCase):
    def test_what_cannot_be_used_is_named_with_its_line(self):
        for text, message in [
            ("", "columns"),
            ("day,price\n2025-01-01,1\n", "columns"),
            ("date,close\n", "no prices"),
            ("date,close\n2025-01-01,1\n2025-02-30,2\n", "line 3"),
            ("date,close\n2025-01-01,one\n", "line 2"),
            ("date,close\n2025-01-01,NaN\n", "line 2"),
            ("date,close\n2025-01-01,0\n", "line 2"),
            ("date,close\n2025-01-01\n", "line 2"),
            ("date,close\n2025-01-02,1\n2025-01-02,2\n", "line 3"),
        ]:
            with self.subTest(text), tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "prices.csv")
                path.write_text(text)
                with self.assertRaisesRegex(BacktestError, message):
                    backtest.read_prices(path)

    def test_a_time_is_cut_out_with_both_ends(self):
        closes = series("1", "2", "3", "4")
        self.assertEqual(backtest.between(closes, closes[1].day, closes[2].day), closes[1:3])
        self.assertEqual(backtest.between(closes, None, None), closes)
        with self.assertRaisesRegex(BacktestError, "2025-01-01 to 2025-01-04"):
            backtest.between(closes, date(2026, 1, 1), None)


class ToolTests(unittest.TestCase):
    backtests = client.Backtests(backtest.read_prices(client.HERE / "prices.csv"))

    def call(self, **arguments):
        return self.backtests.call_tool(HostRequest("callTool", {"name": "run_backtest", "arguments": arguments}))

    def test_the_script_tells_the_figures_of_the_tool(self):
        first, answer = (client.HERE / "script.jsonl").read_text().splitlines()[1:3]
        result = self.call(**json.loads(first)["steps"][-1]["toolCall"]["arguments"])
        for name in ["totalReturnPercent", "maxDrawdownPercent"]:
            self.assertIn(f"{result['data'][name]} %", answer)
            self.assertIn(f"{result['data'][name]} %", result["content"][0]["text"])

    def test_numbers_are_what_was_written(self):
        # As floats, neither is the number that was written.
        rule = Rule.from_arguments({"buyDropPercent": 0.1, "sellProfitPercent": 1.1, "from": "2025-01-01"})
        self.assertEqual((rule.buy_drop_percent, rule.sell_profit_percent), (Decimal("0.1"), Decimal("1.1")))

    def test_a_day_that_there_is_not_or_no_prices_is_an_error(self):
        for arguments in [{"from": "2025-02-30"}, {"to": "1999-12-31"}, {"from": "2025-06-01", "to": "2025-05-01"}]:
            result = self.call(buyDropPercent=5, sellProfitPercent=10, **arguments)
            self.assertTrue(result["isError"], arguments)
            self.assertNotIn("data", result)
        self.assertFalse(self.call(buyDropPercent=5, sellProfitPercent=10, **{"from": "2025-06-01"})["isError"])


if __name__ == "__main__":
    unittest.main()

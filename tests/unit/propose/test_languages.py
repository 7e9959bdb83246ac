"""Names of eight languages and many habits: the role that each column gets."""

from __future__ import annotations

import pytest

from job.sources.schema import Kind
from mmm.propose.rules import Seen, guess, pair
from mmm.propose.words import split


def seen(name: str, **more: object) -> Seen:
    figures = {
        "kind": Kind.FLOAT,
        "numeric": True,
        "date_format": None,
        "distinct": 90,
        "rows": 100,
    }
    return Seen(name=name, **{**figures, "lowest": 0.0, "highest": 9.0, **more})  # type: ignore[arg-type]


def roles(*names: str) -> dict[str, str | None]:
    columns = [seen("day", numeric=False, date_format="%Y-%m-%d"), *map(seen, names)]
    return {one.column: one.role for one in guess(columns)}


@pytest.mark.parametrize(
    ("target", "spend", "exposure", "organic"),
    [
        ("Umsatz", "TV Kosten", "TV Einblendungen", "Newsletter"),
        ("Nettoumsatz", "Werbekosten TV", "Klicks Werbung TV", "Mailings"),
        ("Chiffre d'affaires", "Dépenses TV", "Vues TV", "Newsletter"),
        ("ventas", "gasto_tv", "impresiones_tv", "boletin"),
        ("Ricavi", "Spesa TV", "Visualizzazioni TV", "Newsletter"),
        ("receita", "custo_tv", "impressões_tv", "newsletter"),
        ("Omzet", "TV uitgaven", "TV vertoningen", "Nieuwsbrief"),
        ("Przychód", "Koszt TV", "Wyświetlenia TV", "Newsletter"),
        ("sprzedaż", "tv_wydatki", "tv_kliknięcia", "mailing"),
        ("SALES", "TV_COST", "TV_IMPRESSIONS", "ORGANIC"),
        ("revenue", "tv_S", "tv_I", "newsletter"),
        ("revenue", "cost.tv", "grp.tv", "email"),
        ("Revenue (EUR)", "TV Spend (EUR)", "TV Clicks", "SEO"),
        ("totalRevenue", "tvSpend", "tvReach", "crm"),
        ("sales", "mdsp_tv", "mdip_tv", "push"),
    ],
)
def test_names(target: str, spend: str, exposure: str, organic: str) -> None:
    found = roles(target, spend, exposure, organic)
    assert found == {
        **{"day": "date", target: "target", spend: "spend"},
        **{exposure: "exposure", organic: "organic"},
    }


def test_exposures_go_to_the_spend_of_the_same_words() -> None:
    columns = [seen(n) for n in ("tv_spend_eur", "Impressions TV", "search_cost", "seo_clicks")]
    pairs, lonely = pair(guess(columns), columns)
    assert [(p.name, p.spend, p.exposure) for p in pairs] == [
        ("tv", "tv_spend_eur", "Impressions TV"),
        ("search", "search_cost", None),
    ]
    assert lonely == ["seo_clicks"]


def test_what_follows_from_other_columns_is_left_out() -> None:
    found = roles("revenue", "orders", "tv_spend", "total_spend", "cpc", "revenue_per_order")
    assert {name for name, role in found.items() if role is None} == {
        *("orders", "total_spend", "cpc", "revenue_per_order")
    }
    assert found["revenue"] == "target"


def test_other_candidates_are_named() -> None:
    columns = [seen("sales"), seen("orders"), seen("tv_cost")]
    assert "other candidates: `orders`" in guess(columns)[0].why


def test_flags_of_one_kind_are_left_out_together() -> None:
    flags = [seen(f"hldy_{i}", distinct=2, lowest=0.0, highest=1.0) for i in range(6)]
    assert {one.role for one in guess(flags)} == {None}
    assert guess(flags[:2])[0].role == "context"


def test_names_without_latin_letters_do_no_harm() -> None:
    assert split("Расходы") == []
    assert roles("Расходы")["Расходы"] is None


def test_numbered_columns_are_channels_only_where_nothing_else_is() -> None:
    assert roles("y", "x1", "x2")["x1"] == "spend"
    assert roles("y", "x1", "tv_cost")["x1"] == "context"

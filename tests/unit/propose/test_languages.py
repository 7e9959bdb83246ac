"""The role of columns whose names use eight languages and many conventions."""

from __future__ import annotations

import pytest

from job.sources.schema import Kind
from mmm.propose.rules import ColumnProfile, guess_roles, pair_channels
from mmm.propose.vocabulary import split_words


def profile(name: str, **more: object) -> ColumnProfile:
    defaults = {
        "kind": Kind.FLOAT,
        "numeric": True,
        "date_format": None,
        "distinct": 90,
        "rows": 100,
    }
    return ColumnProfile(name=name, **{**defaults, "lowest": 0.0, "highest": 9.0, **more})  # type: ignore[arg-type]


def roles(*names: str) -> dict[str, str | None]:
    columns = [profile("day", numeric=False, date_format="%Y-%m-%d"), *map(profile, names)]
    return {one.column: one.role for one in guess_roles(columns)}


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


def test_an_exposure_belongs_to_the_spend_with_the_same_words() -> None:
    columns = [profile(n) for n in ("tv_spend_eur", "Impressions TV", "search_cost", "seo_clicks")]
    channels, unpaired = pair_channels(guess_roles(columns), columns)
    assert [(p.name, p.spend, p.exposure) for p in channels] == [
        ("tv", "tv_spend_eur", "Impressions TV"),
        ("search", "search_cost", None),
    ]
    assert unpaired == ["seo_clicks"]


@pytest.mark.parametrize("name", ["télé", "Fernsehen", "televisione", "Telewizja", "televisão"])
def test_television_is_tv_in_eight_languages(name: str) -> None:
    columns = [profile("tv_spend"), profile(f"GRP {name}")]
    ((channel,), unpaired) = pair_channels(guess_roles(columns), columns)
    assert (channel.exposure, unpaired) == (f"GRP {name}", [])


def test_columns_derived_from_others_are_not_used() -> None:
    derived = ("orders", "total_spend", "cpc", "avg_cpc", "ROAS blended", "revenue_per_order")
    found = roles("revenue", "tv_spend", *derived)
    assert {name for name, role in found.items() if role is None} == {*derived}
    assert found["revenue"] == "target"


def test_other_candidates_are_named() -> None:
    columns = [profile("sales"), profile("orders"), profile("tv_cost")]
    assert "other candidates: `orders`" in guess_roles(columns)[0].reason


def test_flags_of_one_kind_are_not_used() -> None:
    flags = [profile(f"hldy_{i}", distinct=2, lowest=0.0, highest=1.0) for i in range(6)]
    assert {one.role for one in guess_roles(flags)} == {None}
    assert guess_roles(flags[:2])[0].role == "context"


def test_names_without_latin_letters_are_not_used() -> None:
    assert split_words("Расходы") == []
    assert roles("Расходы")["Расходы"] is None


def test_numbered_columns_are_channels_only_without_other_channels() -> None:
    assert roles("y", "x1", "x2")["x1"] == "spend"
    assert roles("y", "x1", "tv_cost")["x1"] == "context"


@pytest.mark.parametrize(
    "name",
    [
        *("Magazines", "Billboards", "native", "leaflets", "CTV", "streaming", "Shopping Ads"),
        *("Außenwerbung", "Fernsehwerbung", "Plakate", "Beilagen", "Hörfunk", "Zeitschriften"),
        *("panneaux", "prospectus", "influenceurs", "parrainage", "revistas", "vallas", "buzoneo"),
        *("affissioni", "volantini", "riviste", "imprensa", "mupis", "patrocínios", "encartes"),
        *("buitenreclame", "radioreclame", "abri's", "folders", "gazetki", "Ulotki", "plakaty"),
    ],
)
def test_a_medium_in_eight_languages_is_a_spend(name: str) -> None:
    assert roles("revenue", name)[name] == "spend"


def _reason(name: str, **more: object) -> str:
    columns = [profile("revenue"), profile("tv_spend"), profile(name, **more)]
    (guess,) = [one for one in guess_roles(columns) if one.column == name]
    assert guess.role == "context"
    return guess.reason


@pytest.mark.parametrize("name", ["Zebra", "Kanal_3", "Ads", "marketing", "search volume", "blitz"])
def test_a_number_that_may_be_a_medium_is_a_question(name: str) -> None:
    assert _reason(name).startswith("CHECK: ")
    assert _reason(name).endswith("is it a medium?")


@pytest.mark.parametrize(
    "name",
    [
        *("avg_price", "temperature", "unemployment_rate", "CPI", "Verkaufspreis", "Filialen"),
        *("Arbeitslosenquote", "prix_moyen", "météo", "precio", "inventario", "disoccupazione"),
        *(
            "preço médio",
            "Außentemperatur",
            "prijs",
            "voorraad",
            "cena",
            "bezrobocie",
            "store_stock",
        ),
    ],
)
def test_other_influences_are_no_question(name: str) -> None:
    assert "CHECK" not in _reason(name)


def test_what_cannot_be_a_medium_is_no_question() -> None:
    assert "CHECK" not in _reason("zebra", distinct=2, highest=1.0)
    assert "CHECK" not in _reason("zebra", lowest=-1.0)


def test_a_plan_beside_a_spend_is_a_question() -> None:
    columns = [profile(n) for n in ("revenue", "tv_budget", "tv_spend", "radio_budget")]
    found = {one.column: one for one in guess_roles(columns)}
    assert found["tv_spend"].role == found["radio_budget"].role == "spend"
    assert found["tv_budget"].role is None
    assert found["tv_budget"].reason.startswith("CHECK: `tv_spend` is a spend of the same channel")


def test_an_exposure_with_some_words_of_one_spend_is_paired_with_a_question() -> None:
    names = ("digital_display_spend", "digital_clicks", "tv_spend", "tv_brand_grps")
    columns = [profile(name) for name in names]
    channels, unpaired = pair_channels(guess_roles(columns), columns)
    assert [(one.exposure, one.is_guess) for one in channels] == [
        ("digital_clicks", True),
        ("tv_brand_grps", True),
    ]
    assert unpaired == []


def test_an_exposure_that_fits_two_spends_is_not_paired() -> None:
    names = ("tv_north_spend", "tv_south_spend", "tv_grps", "organic_search_clicks", "search_cost")
    columns = [profile(name) for name in names]
    channels, unpaired = pair_channels(guess_roles(columns), columns)
    assert {one.exposure for one in channels} == {None}
    assert unpaired == ["tv_grps", "organic_search_clicks"]


@pytest.mark.parametrize("name", ["Email Spends", "spend_tv", "Kosten TV", "TV Clicks", "sales"])
def test_text_whose_name_suggests_numbers_is_a_question(name: str) -> None:
    column = profile(name, numeric=False, kind=Kind.TEXT, odd="`12 Mio` in row 2")
    (guess,) = guess_roles([column])
    assert guess.role is None
    assert guess.reason == (
        "CHECK: its name suggests numbers, but `12 Mio` in row 2 is not a number"
    )


def test_text_with_names_is_no_question() -> None:
    (guess,) = guess_roles([profile("sales_team", numeric=False, kind=Kind.TEXT, distinct=4)])
    assert (guess.role, guess.reason) == ("factor", "is text with 4 levels")

"""The vocabulary of column names, and a function that splits a name into words.

The languages are English, German, French, Spanish, Italian, Portuguese, Dutch and Polish. Names
are split at all characters other than letters and digits, at changes of case, and before a known
word that ends a longer one (`Werbekosten`: werbe, kosten). Accents are ignored.
"""

from __future__ import annotations

import re
import unicodedata


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPEND = _words(
    "cost costs spend spends spending spent s budget budgets mdsp kosten ausgaben aufwand "
    "depense depenses cout couts investissement gasto gastos coste costes costo inversion "
    "spesa spese costi investimento custo custos despesa despesas investimentos uitgaven "
    "besteding bestedingen koszt koszty wydatki wydatek naklady investment invest inv"
)
PLAN = _words("budget budgets plan planned geplant prevu previsto presupuesto orcamento begroting")
EXPOSURE = _words(
    "impressions impression impr imps imp i clicks click c grp grps trp trps views view reach "
    "p mdip sends contacts kontakte klicks einblendungen impressionen reichweite aufrufe "
    "clics clic vues visualisations impresiones visualizaciones impressioni clicchi "
    "visualizzazioni impressoes cliques visualizacoes vertoningen klikken klik weergaven "
    "bereik wyswietlenia klikniecia zasieg viewers plays listens spots insertions circulation "
    "portee couverture alcance cobertura copertura visualizadores zuschauer hoerer zuhoerer "
    "telespectateurs auditeurs espectadores oyentes ouvintes spettatori ascoltatori kijkers "
    "luisteraars widzowie sluchacze ogladalnosc odslony opens deliveries auflage tirage tirada "
    "tiratura tiragem oplage naklad streams downloads"
)
# in order of preference
TARGET = (
    "revenue umsatz umsatze erlose erlos recettes chiffre ca ingresos facturacion ricavi "
    "fatturato receita receitas faturamento omzet przychod przychody sales ventas ventes "
    "vendite vendas verkopen verkoop sprzedaz turnover income gmv absatz verkaufe bookings "
    "buchungen orders bestellungen commandes pedidos ordini encomendas bestellingen "
    "zamowienia purchases transactions transaktionen achats compras acquisti aankopen zakupy "
    "conversions conversion konversionen conversiones conversioni conversoes conversies "
    "konwersje installs signups registrations subscriptions registrierungen anmeldungen leads mql "
    "mqls sqls quantity qty units customers kunden clients clientes clienti klanten klienci profit "
    "gewinn winst lucro zysk benefice beneficio utile kpi y target"
).split()
CONVERSION = _words(
    "orders conversions conversion installs signups leads bestellungen commandes pedidos "
    "ordini encomendas bestellingen zamowienia konversionen conversiones conversioni "
    "conversoes conversies konwersje anmeldungen purchases transactions transaktionen achats "
    "compras acquisti aankopen zakupy registrations subscriptions registrierungen mql mqls sqls "
    "bookings buchungen quantity qty units absatz customers kunden clients clientes clienti "
    "klanten klienci"
)
ORGANIC = _words(
    "organic organico organica organique organisch newsletter newsletters nieuwsbrief boletin "
    "email emails mail mails mailing mailings push seo crm followers posts"
)
COMPETITOR = _words(
    "competitor competitors competition konkurrenz wettbewerb wettbewerber concurrent "
    "concurrents concurrence competencia competidor concorrenza concorrente concorrencia "
    "concurrentie konkurencja"
)
FACTOR = _words(
    "event events promo promotion promotions holiday holidays feiertag feiertage campaign "
    "aktion aktionen flag is lockdown season ferie festivo feriado feestdag actie swieto "
    "promocja promocion promozione promocao rabatt"
)
MEDIA = _words(
    "tv television fernsehen tele radio newspaper newspapers zeitung print presse prensa "
    "stampa ooh dooh outdoor plakat affichage search sem sea ppc google adwords bing facebook "
    "fb meta instagram insta tiktok snapchat pinterest youtube yt twitter linkedin social "
    "display banner banners video affiliate affiliates cinema kino podcast direct dm "
    "influencer programmatic amazon criteo influencers affiliates affiliation magazine magazines "
    "zeitschrift zeitschriften revista revistas rivista riviste tijdschrift tijdschriften "
    "czasopisma billboard billboards outofhome native leaflet leaflets flyer flyers flugblatt "
    "prospekt prospekte folder folders folleto folletos volantini volantino ulotki ulotka "
    "tract tracts panfleto panfletos ctv ott streaming vod catalogue catalogues catalog catalogs "
    "katalog kataloge catalogo catalogos katalogi shopping pmax afiliados afiliados afiliacion "
    "affiliati afiliacja retargeting remarketing prospecting linear broadcast audio spotify "
    "reddit whatsapp telegram taboola outbrain kranten krant gazeta gazety prasa pers jornal "
    "jornais periodico periodicos giornali giornale journaux radiofonia telewizja televisie "
    "televisao televisione sponsoring sponsorship sponsorships brochure brochures inserts insert "
    "mailshot gdn dv360 dsp sms postal letterbox cine bioscoop flyering werbung anzeigen "
    "snap twitch quora yahoo baidu naver kakao wechat yandex applovin demandgen sponsor sponsored "
    "partner partners partnerships coupons vouchers sampling digital internet mobile inapp "
    "rundfunk horfunk hoerfunk aussenwerbung plakate citylight litfass beilage beilagen "
    "wurfsendung wurfsendungen postwurf suche suchmaschine suchmaschinen illustrierte sponsoren "
    "panneaux prospectus courrier recherche reseaux parrainage encarts depliant depliants "
    "influenceurs influenceur vallas valla exterior buscadores busqueda redes patrocinio "
    "patrocinios influenciadores buzoneo imprenta affissioni affissione cartelloni ricerca "
    "sponsorizzazioni sponsorizzazione cataloghi imprensa outdoors mupis mupi busca pesquisa "
    "encartes buitenreclame reclame abri abris zoeken huisaanhuis drukwerk catalogus catalogi "
    "bilbordy bilbord billboardy plakaty wyszukiwarka wyszukiwarki magazyny czasopismo gazetki "
    "gazetka influencerzy spolecznosciowe patrocinadores"
)
ADVERTISING = _words(
    "ad ads advertising advertisement advertisements advertisment adv advert adverts marketing "
    "media werbe reklame publicite pub publicidad publicidade pubblicita anuncios reklama reklamy"
)
# other influences; a number that has none of these words may be media
CONTEXT = _words(
    "price prices pricing discount discounts markdown temperature temp weather rain rainfall "
    "precipitation sunshine sun snow wind humidity celsius fahrenheit unemployment unemployed "
    "jobless employment inflation cpi ppi gdp confidence sentiment interest stock stocks "
    "inventory availability distribution stores outlets shops population inhabitants households "
    "covid covid19 corona cases deaths stringency mobility gas gasoline fuel oil brent exchange "
    "wage wages mortgage housing trends query queries gqv volume economy economic macro weekdays "
    "workdays days hours footfall index traffic capacity size control "
    "preis preise temperatur wetter regen niederschlag sonne sonnenstunden schnee arbeitslosigkeit "
    "arbeitslosenquote arbeitslose bip bestand lager lagerbestand verfugbarkeit filialen "
    "bevolkerung einwohner benzin zins zinsen konsumklima arbeitstage werktage offnungstage "
    "prix meteo pluie soleil neige vent chomage pib disponibilite magasins remise remises "
    "essence petrole precio precios temperatura clima lluvia sol nieve viento paro desempleo "
    "ipc inventario existencias disponibilidad tiendas poblacion descuento descuentos gasolina "
    "prezzo prezzi pioggia sole vento disoccupazione pil scorte disponibilita negozi "
    "popolazione sconto sconti benzina preco precos chuva neve desemprego ipca estoque "
    "disponibilidade lojas populacao desconto descontos prijs prijzen temperatuur weer neerslag "
    "zon sneeuw werkloosheid bbp voorraad beschikbaarheid winkels bevolking korting kortingen "
    "benzine cena ceny pogoda deszcz opady slonce snieg wiatr bezrobocie pkb zapasy dostepnosc "
    "sklepy populacja ludnosc benzyna"
)
COUNTRY = _words(
    "country countrycode market markt land pays marche pais mercado paese mercato kraj rynek"
)
REGION = _words("geo region regions dma city state store locale bundesland filiale stadt regione")
CHANNEL = _words(
    "channel channels medium media platform source network kanal plattform canal canaux "
    "canale piattaforma plataforma kanaal kanaly campaign kampagne"
)
DATE = _words(
    "date day week month ds dt time datum tag woche monat data jour semaine mois fecha dia "
    "semana mes giorno settimana mese dag maand dzien tydzien miesiac wk"
)
CALENDAR = DATE | _words(
    "year yr jahr annee ano anno jaar rok quarter qtr quartal trimestre kwartaal kwartal prd "
    "period nbr dayofyear dayofweek weekofyear weekday doy dow weeknum weekno yearweek"
)
ROW_NUMBER = _words("unnamed index id rownames row t idx nr lp")
MODEL_OUTPUT = _words(
    "adstock adstocked saturated saturation effect epsilon residual residuals fitted "
    "predicted pred contribution trend seasonality"
)
MEDIA_RATES = _words("cpc cpm cpa cpl cpo ctr cvr roas roi cpv cpp ecpm vtr acos ctrs cpcs cpms")
RATES = MEDIA_RATES | _words(
    "per aov rate ratio share frequency quote taux tasa "
    "tasso taxa position rank avg average mean index score rating percent "
    "pct sov viewability freq quality anteil haeufigkeit frecuencia frequence frequenza "
    "frequencia frequentie czestotliwosc klickrate klickquote clickrate clickthrough doorklikratio "
    "klikratio sichtbarkeit haufigkeit percentage prozent pourcentage porcentaje "
    "percentuale percentagem procent marktanteil udzial aandeel cuota positie pozycja posizione "
    "posicion posicao durchschnitt durchschnittliche moyenne moyen promedio gemiddelde gemiddeld "
    "srednia srednio sredni wskaznik relevance"
)
FILLER = _words(
    "ad ads paid campaign campaigns media marketing online of de of on in per the advertising "
    "adv kampagne kampagnen werbe anuncios publicite pubblicita reklama reklamy advert adverts "
    "channel weekly daily monthly"
)
REACTIONS = _words(
    "engagement engagements likes shares comments swipes sessions visits interactions saves "
    "mentions hashtags audience bounces pageviews viewer interaktionen interacciones interazioni "
    "interacoes interacties interakcje zaangazowanie reaktionen reactions aime vistas besuche "
    "sitzungen visites visitas visite bezoeken wizyty kommentare commentaires comentarios "
    "commenti reacties komentarze abonnenten abonnes seguidores udostepnienia partages "
    "compartidos condivisioni engaged retweets"
)
TOTAL = _words("total totals all overall sum gesamt summe totale totaal suma razem")
UNITS = _words(
    "eur euro euros usd gbp chf pln sek nok dkk czk k tsd mio net netto gross brutto amount "
    "betrag in local currency lc"
)
_ENDINGS = sorted(
    {word for word in SPEND | EXPOSURE | set(TARGET) if len(word) >= 5}
    | {"cost", "spend", "werbung", "reclame", "preis", "prijs", "temperatur", "temperatuur"},
    key=len,
    reverse=True,
)
_LETTERS = str.maketrans({"ł": "l", "ß": "ss", "ø": "o", "æ": "ae", "Ł": "L", "Ø": "O", "Æ": "AE"})


def split_words(name: str) -> list[str]:
    """Return the words of a name, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    words: list[str] = []
    for word in re.split(r"[^a-z0-9]+", spaced.lower()):
        known = SPEND | EXPOSURE | CALENDAR | RATES | CONTEXT | MEDIA | {*TARGET}
        end = next((e for e in _ENDINGS if word.endswith(e) and word != e), None)
        words += [word] if end is None or word in known else [word[: -len(end)], end]
    return [word for word in words if word]

"""What a company's names and web domains say of who it is: each in the one writing in which equal ones meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: Anyone can have an address there, so the domain says nothing of the company.
FREE_MAIL: Final = frozenset(
    """
    gmail.com googlemail.com yahoo.com yahoo.de yahoo.co.uk yahoo.fr yahoo.es yahoo.it yahoo.co.in yahoo.co.jp yahoo.com.br yahoo.ca
    ymail.com rocketmail.com outlook.com outlook.de outlook.fr outlook.es hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it
    hotmail.es live.com live.de live.co.uk live.fr live.nl msn.com icloud.com me.com mac.com aol.com aol.de aim.com proton.me
    protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io gmx.de gmx.net gmx.com gmx.at gmx.ch gmx.fr web.de t-online.de
    freenet.de arcor.de online.de vodafone.de 1und1.de posteo.de mailbox.org email.de email.com mail.com mail.de mail.ru inbox.ru bk.ru
    list.ru yandex.ru yandex.com ya.ru rambler.ru zoho.com zohomail.com zohomail.eu fastmail.com fastmail.fm hey.com hushmail.com
    mailinator.com qq.com foxmail.com 163.com 126.com sina.com sina.cn yeah.net aliyun.com naver.com daum.net hanmail.net orange.fr
    wanadoo.fr free.fr sfr.fr laposte.net bbox.fr neuf.fr libero.it virgilio.it alice.it tin.it tiscali.it tim.it bluewin.ch hispeed.ch
    sunrise.ch btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com talktalk.net blueyonder.co.uk ziggo.nl kpnmail.nl
    planet.nl xs4all.nl home.nl hetnet.nl telenet.be skynet.be proximus.be telia.com bredband.net comcast.net verizon.net att.net
    sbcglobal.net bellsouth.net cox.net charter.net earthlink.net optonline.net rogers.com shaw.ca sympatico.ca telus.net bigpond.com
    bigpond.net.au optusnet.com.au xtra.co.nz uol.com.br bol.com.br terra.com.br ig.com.br seznam.cz centrum.cz wp.pl onet.pl o2.pl
    interia.pl op.pl rediffmail.com duck.com
    """.split()  # noqa: SIM905 - a list of quoted names would take a page
)

#: Pages there belong to whoever opened one, so that the host says nothing; what stands before it, a shop's own name, may.
HOSTS: Final = frozenset(
    """
    facebook.com linkedin.com instagram.com twitter.com x.com youtube.com tiktok.com xing.com google.com goo.gl bit.ly linktr.ee
    wordpress.com blogspot.com wixsite.com wix.com weebly.com squarespace.com webflow.io github.io gitlab.io netlify.app vercel.app
    herokuapp.com pages.dev web.app firebaseapp.com azurewebsites.net cloudfront.net amazonaws.com myshopify.com jimdofree.com jimdo.com
    business.site godaddysites.com notion.site medium.com substack.com tumblr.com etsy.com ebay.com amazon.com yelp.com onmicrosoft.com
    example.com test.com none.com na.com domain.com company.com
    """.split()  # noqa: SIM905
)

#: Below a country's letters, what stands before them is the kind of owner and not yet its name: acme.co.uk.
_KINDS: Final = frozenset(
    {"co", "com", "org", "net", "ac", "gov", "gob", "gouv", "edu", "or", "ne", "go", "nom", "ltd", "plc", "me", "mil"}
)

#: Legal forms at the end of a company's name, after punctuation is gone.
_FORM: Final = (
    "incorporated|inc|corporation|corp|and company|and co|company|co|pllc|llc|lllp|llp|lp|ltd|limited|plc|gmbh|ggmbh|mbh|ag|kgaa|kg|ohg|"
    "gbr|ug|ug haftungsbeschrankt|haftungsbeschrankt|e k|ek|ev|se|sa|sas|sasu|sarl|scop|srl|srls|spa|sl|slu|sau|bv|nv|vof|cv|ab|as|asa|"
    "oy|oyj|aps|a s|is|ks|kk|kft|zrt|nyrt|sro|sp z o o|sp z oo|spzoo|sp k|spk|doo|dd|ad|ood|eood|pty|pte|proprietary|pvt|private|"
    "sdn|bhd|tbk|ltda|eireli|sa de cv|s de rl de cv|sab de cv|sabdecv|saic|oao|ooo|zao|pjsc|jsc|ojsc|uab|sia|ou|as|lda|sgps|fzco|fzc|fze|"
    "dmcc|wll|gie|sca|kabushiki kaisha|godo kaisha|co kg"
)
_FORMS: Final = re.compile(rf"(?: (?:{_FORM}))+$")

#: Words that people shorten, by what they write instead.
_SHORT: Final = {
    short: word
    for word, shorts in {
        "international": "intl internat int",
        "technologies": "technology tech techs technol",
        "solutions": "solution soln solns sol",
        "services": "service svc svcs serv",
        "systems": "system sys syst",
        "manufacturing": "mfg manuf manufg",
        "manufacturers": "mfrs",
        "brothers": "bros gebruder gebrueder gebr",
        "associates": "assoc assocs",
        "association": "assn",
        "management": "mgmt mgt",
        "group": "grp gruppe groupe gruppo grupo",
        "holdings": "holding hldg hldgs",
        "industries": "industry ind inds",
        "laboratories": "laboratory labs lab",
        "pharmaceuticals": "pharma pharmaceutical pharm",
        "engineering": "eng engg engrg",
        "consulting": "consultants consultancy",
        "communications": "communication comms comm",
        "development": "dev devt",
        "distribution": "dist distr distrib",
        "enterprises": "enterprise ent entpr",
        "university": "univ",
        "institute": "inst",
        "insurance": "ins",
        "financial": "fin finl",
        "national": "natl nat",
        "american": "amer am",
        "european": "euro eur",
        "center": "centre ctr cntr",
        "department": "dept",
        "marketing": "mktg mkt",
        "products": "product prod prods",
        "properties": "property prop props",
        "partners": "partner ptnrs",
        "software": "sw softw",
        "logistics": "logistic log logis",
        "transportation": "transport transp trans",
        "equipment": "equip",
        "construction": "constr const",
        "electronics": "electronic elec electr",
        "hospital": "hosp",
        "company": "cie compagnie",
        "saint": "st",
        "and": "und et y e",
    }.items()
    for short in shorts.split()
}
#: Words that a name may have or lack.
_NOISE: Final = frozenset({"the", "der", "die", "das", "le", "la", "les", "el", "and"})

#: Where a part of a group is: two names that differ by such words are two companies of one group, as a rule.
PLACES: Final = frozenset(
    """
    germany deutschland german uk britain british england ireland france french italy italia italian spain espana iberia portugal
    netherlands nederland dutch belgium belgique benelux luxembourg austria osterreich switzerland schweiz suisse swiss poland polska
    czech slovakia hungary romania bulgaria greece turkey russia ukraine nordic nordics sweden sverige swedish norway norge denmark danmark
    finland suomi baltics estonia latvia lithuania europe emea dach apac asia pacific africa americas america latam us usa canada mexico
    brazil brasil argentina chile colombia peru india china japan korea taiwan singapore malaysia indonesia thailand vietnam philippines
    australia zealand israel uae dubai saudi egypt nigeria kenya north south east west northern southern eastern western central nord sud
    ost midwest northeast northwest southeast southwest berlin munich munchen hamburg frankfurt london paris madrid milan milano zurich
    vienna wien amsterdam brussels stockholm oslo copenhagen helsinki warsaw prague york boston chicago texas california florida toronto
    """.split()  # noqa: SIM905
)


#: Letters that have no accent to take off, and signs that stand for a word or for nothing.
_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "&": " and ", "+": " and ", "_": " "}
    | dict.fromkeys("'’`´", "")
)
_INITIALS: Final = re.compile(r"(?<=\b\w)\.(?=\s?\w\b)\.?\s?")
_MARKS: Final = re.compile(r"[^\w]+")
_BRACKETS: Final = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_UMLAUT: Final = re.compile(r"(?<=[aou])e")
#: Names are asked for again and again while customers are compared; half a million of them would be a few hundred MB.
_KEPT: Final = 1 << 17


def plain(name: str) -> str:
    """Lower case, without accents and punctuation, words one blank apart; German letters as one writes them without."""
    text = name.casefold().translate(_LETTERS)
    if not text.isascii():
        text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    if "." in text:
        text = _INITIALS.sub("", text)  # s.a. and s. a. -> sa
    return _MARKS.sub(" ", text).strip()


@lru_cache(_KEPT)
def normal_name(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form; a first word always stays."""
    return _FORMS.sub("", plain(name))


@lru_cache(_KEPT)
def loose_words(name: str) -> tuple[str, ...]:
    """The words of a name as far as people keep to them: abbreviations written out, without articles and what stands in brackets."""
    bare = _BRACKETS.sub(_kept_place, name)
    words = normal_name(bare if plain(bare) else name).split()
    long = [_SHORT.get(word, word) for word in words]
    long = [word for word in long if word not in _NOISE] or long
    return tuple(long)


def _kept_place(bracket: re.Match[str]) -> str:
    """What stands in brackets says something else, unless it is where."""
    inner = bracket[0][1:-1]
    return f" {inner} " if set(plain(inner).split()) & PLACES else " "


def compact(words: tuple[str, ...]) -> str:
    """The words without the blanks between them, which are written or not (Data Works, Dataworks), nor the e of ae, oe and ue."""
    return _UMLAUT.sub("", "".join(words))


@lru_cache(_KEPT)
def company_domain(domain: str | None) -> str | None:
    """A domain that names one company, without what stands before it (www, mail, shop); None for free mail and for pages of hosts.

    >>> company_domain('mail.acme.co.uk'), company_domain('gmail.com'), company_domain('acme.myshopify.com')
    ('acme.co.uk', None, 'acme.myshopify.com')
    """
    if not domain:
        return None
    labels = domain.strip().strip(".").lower().split(".")
    if len(labels) < 2 or not all(labels):
        return None
    places = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _KINDS else 2
    owner = ".".join(labels[-places:])
    bare = ".".join(labels[1:] if labels[0] == "www" else labels)
    if owner in FREE_MAIL or bare in FREE_MAIL:
        return None
    if owner in HOSTS:
        return bare if bare != owner else None
    return owner


def label_of(domain: str) -> str:
    """What the owner of a domain calls itself there, letters and digits alone: ``acme-group.co.uk`` -> ``acmegroup``."""
    return re.sub(r"[^a-z0-9]", "", domain.split(".")[0])


#: Whose legal forms they are; those of several countries are in none.
_LANDS: Final = {
    form: land
    for land, forms in {
        "german": "gmbh ggmbh mbh ag kg kgaa ohg gbr ug ev ek",
        "british": "ltd limited plc",
        "american": "inc incorporated corp corporation llc",
        "french": "sas sasu sarl",
        "dutch": "bv nv vof",
        "italian": "srl srls spa",
        "spanish": "sl slu sau",
        "swedish": "ab",
        "finnish": "oy oyj",
        "danish": "aps",
        "polish": "spzoo",
        "japanese": "kk",
        "indian": "pvt",
    }.items()
    for form in forms.split()
}


def form_lands(name: str) -> frozenset[str]:
    """The countries whose legal forms stand behind a name."""
    form = _FORMS.search(plain(name))
    return frozenset(_LANDS[word] for word in form[0].split() if word in _LANDS) if form else frozenset()


def are_foreign(one: str | None, other: str | None) -> bool:
    """Whether two names have legal forms of different countries, so that they are two companies, though perhaps of one group."""
    if not one or not other:
        return False
    a, b = form_lands(one), form_lands(other)
    return bool(a and b) and not a & b


def are_of(domain: str, name: str | None) -> bool:
    """Whether a domain looks like the name: acme-group.com for Acme GmbH, and not its bookkeeper's."""
    words = loose_words(name) if name else ()
    label = label_of(domain)
    return any(len(word) >= 4 and word in label for word in words) or label in (compact(words), "".join(word[0] for word in words))


def are_akin(one: str, other: str) -> bool:
    """Whether two domains look like one company's: acme.com and acme.de, acme.io and getacme.com."""
    a, b = sorted((label_of(one), label_of(other)), key=len)
    return a == b or (len(a) >= 4 and a in b)


def are_siblings(one: str | None, other: str | None) -> bool:
    """Whether two names are those of two companies of a group: what they don't share names a place on either side."""
    if not one or not other:
        return False
    a, b = set(loose_words(one)), set(loose_words(other))
    return bool(a & b) and bool((a - b) & PLACES) and bool((b - a) & PLACES)

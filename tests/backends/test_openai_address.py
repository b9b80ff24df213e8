"""Which endpoint, name and key an address means."""

from __future__ import annotations

import pytest

from eyechart.backends.openai_address import VENDORS, Endpoint, read_address, without_key
from eyechart.errors import BadInput

SECRET = "sk-very-secret-1234"


def key_and_source(address: str, environ: dict[str, str]) -> tuple[str, str]:
    endpoint = read_address(address, environ)
    return endpoint.key, endpoint.key_from


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct",
        "http://localhost:8000/v1/#Qwen/Qwen3-VL-8B-Instruct",
        "http://localhost:8000/v1/chat/completions#Qwen/Qwen3-VL-8B-Instruct",
        f"http://{SECRET}@localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct",
        f"http://me:{SECRET}@localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct",
    ],
)
def test_one_model_has_one_name_however_its_address_is_written(address: str) -> None:
    endpoint = read_address(address, {})
    assert endpoint.name == "http://localhost:8000/v1#Qwen/Qwen3-VL-8B-Instruct"
    assert endpoint.url == "http://localhost:8000/v1/chat/completions"
    assert endpoint.model == "Qwen/Qwen3-VL-8B-Instruct"
    assert endpoint.vendor.continues


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_a_vendors_model_is_its_prefix_and_its_name(vendor: str) -> None:
    address, facts = f"{vendor}:a/model:free", VENDORS[vendor]
    endpoint = read_address(address, {facts.key_name: SECRET} if facts.key_name else {})
    assert (endpoint.name, endpoint.model) == (address, "a/model:free")
    assert endpoint.url == f"{facts.base}/chat/completions"
    assert endpoint.key == (SECRET if facts.key_name else "")


@pytest.mark.parametrize("vendor", sorted(name for name in VENDORS if VENDORS[name].key_name))
def test_a_vendor_without_its_key_is_told_which_variable_to_set(vendor: str) -> None:
    with pytest.raises(BadInput, match=f"set the environment variable {VENDORS[vendor].key_name}"):
        read_address(f"{vendor}:m", {})


def test_the_key_comes_from_the_address_before_the_environment() -> None:
    both = {"EYECHART_API_KEY": "any", "OPENAI_API_KEY": "theirs"}
    assert key_and_source(f"https://{SECRET}@a.org/v1#m", both) == (SECRET, "the address")
    assert key_and_source("https://a%2Fb%40c@a.org/v1#m", {}) == ("a/b@c", "the address")
    assert key_and_source("https://a.org/v1#m", both) == ("any", "EYECHART_API_KEY")
    assert key_and_source("https://a.org/v1#m", {"EYECHART_API_KEY": " any\n"})[0] == "any"


def test_openais_key_goes_to_openai_and_this_machine_only() -> None:
    openai = {"OPENAI_API_KEY": SECRET}
    for host in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "api.localhost"):
        assert key_and_source(f"http://{host}/v1#m", openai) == (SECRET, "OPENAI_API_KEY")
    assert key_and_source("https://api.openai.com/v1#m", openai) == (SECRET, "OPENAI_API_KEY")
    for host in ("a.org", "api.openai.com.evil.org", "10.0.0.1"):
        assert key_and_source(f"https://{host}/v1#m", openai) == ("", "")
    assert key_and_source("http://api.openai.com/v1#m", openai) == ("", "")


def test_another_base_url_for_openai_is_another_model() -> None:
    environ = {"OPENAI_BASE_URL": "http://box:8000/v1/", "OPENAI_API_KEY": SECRET}
    endpoint = read_address("openai:m", environ)
    assert (endpoint.name, endpoint.key) == ("http://box:8000/v1#m", SECRET)
    assert endpoint.key_from == "OPENAI_API_KEY"
    assert read_address("openai:m", {"OPENAI_BASE_URL": "http://box/v1"}).key == ""
    same = {"OPENAI_BASE_URL": "https://api.openai.com/v1/", "OPENAI_API_KEY": SECRET}
    assert read_address("openai:m", same).name == "openai:m"
    with pytest.raises(BadInput, match=r"OPENAI_BASE_URL: 'box:8000#m' is no URL"):
        read_address("openai:m", {"OPENAI_BASE_URL": "box:8000"})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://localhost:8000/v1", "names no model; add one after #: http://localhost:8000"),
        ("http://localhost:8000/v1#", "names no model"),
        ("http://#m", "is no URL of a model; expected one such as http://localhost:8000/v1#Qwen"),
        ("http://localhost:99999/v1#m", "is no URL of a model"),
        ("http://localhost:eight/v1#m", "is no URL of a model"),
        ("http://[::1/v1#m", "is no URL of a model"),
        ("http://a.org/v1?key=1#m", "has a query"),
        ("openai:", "is no address of a model; expected openai|openrouter|"),
        ("gpt-5", "is no address of a model"),
    ],
)
def test_a_malformed_address_is_told_what_was_expected(address: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_address(address, {})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        f"http://{SECRET}@localhost:8000/v1",
        f"http://{SECRET}@localhost:eight/v1#m",
        f"http://{SECRET}@/v1#m",
        f"http://{SECRET}/tail@localhost/v1#m",
        f"{SECRET}@localhost:8000/v1#m",
        f"http//{SECRET}@localhost:8000/v1#m",
        f"http://{SECRET}%0Aand@localhost:8000/v1#m",
        f"http://sk#{SECRET}@127.0.0.1:9143/v1#m",
        f"http://sk#{SECRET}@127.0.0.1:9143/v1",
        f"https://sk#{SECRET}@a.org/v1",
        f"http://sk#{SECRET}#{SECRET}@a.org#m",
    ],
)
def test_a_malformed_address_does_not_show_its_key(address: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_address(address, {})
    assert SECRET not in str(caught.value)
    assert "***@" in str(caught.value)


def test_a_key_with_a_hash_is_told_how_to_write_it() -> None:
    with pytest.raises(BadInput, match=r"write such characters of a key as %2F, %3F, %23, or put"):
        read_address(f"http://sk#{SECRET}@127.0.0.1:9143/v1#m", {})
    assert key_and_source("http://sk%23x@a.org/v1#m", {}) == ("sk#x", "the address")
    for model in ("m@20240620", "@cf/meta/llama-3.1", "a/m@v1.5"):
        assert read_address(f"http://a.org/v1#{model}", {}).model == model


@pytest.mark.parametrize(
    "query", [f"?api_key={SECRET}", f"?k=sk#{SECRET}", f"?k=a@{SECRET}", f"?k={SECRET}@b"]
)
def test_a_query_is_refused_without_showing_it(query: str) -> None:
    for address in (f"http://a.org/v1{query}#m", f"http://a.org:eight/v1{query}#m"):
        with pytest.raises(BadInput, match=r"\*\*\*") as caught:
            read_address(address, {})
        assert SECRET not in str(caught.value)
    with pytest.raises(BadInput, match="OPENAI_BASE_URL: ") as caught:
        read_address("openai:m", {"OPENAI_BASE_URL": f"http://a.org/v1{query}"})
    assert SECRET not in str(caught.value)


def test_a_key_that_cannot_be_sent_is_refused_without_showing_it() -> None:
    with pytest.raises(BadInput, match="EYECHART_API_KEY holds characters that no key has") as bad:
        read_address("https://a.org/v1#m", {"EYECHART_API_KEY": f"{SECRET}\nüber"})
    assert SECRET not in str(bad.value)


def test_an_endpoint_does_not_show_its_key() -> None:
    endpoint = Endpoint("u", "n", "m", key=SECRET, key_from="the address")
    assert SECRET not in repr(endpoint)
    assert endpoint.hide(f"a {SECRET} b") == "a *** b"
    assert without_key("http://localhost/v1#m") == "http://localhost/v1#m"

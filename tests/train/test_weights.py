"""Weights are found where they may be, and are never other than the published ones."""

import hashlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from poxlens.errors import WeightsError
from poxlens.train.backbones import NETWORKS
from poxlens.train.weights import Weights, find_weights

DATA = b"the published weights" * 100


def weights(**changes):
    fields = {"file": "net.pth", "sha256": hashlib.sha256(DATA).hexdigest(), "licence": "MIT", **changes}
    return Weights(**fields)


def folder(tmp_path, name, data=DATA):
    made = tmp_path / name
    made.mkdir()
    (made / "net.pth").write_bytes(data)
    return made


class Hub:
    """A hub on this machine that counts what it is asked."""

    def __init__(self, body=DATA, status=200, length=None):
        self.asked = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                hub.asked.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/net.pth"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_the_first_folder_that_has_the_file(tmp_path):
    (tmp_path / "empty").mkdir()
    one, two = folder(tmp_path, "one"), folder(tmp_path, "two")
    missing = tmp_path / "missing"
    assert find_weights(weights(), [tmp_path / "empty", missing, two, one]) == two / "net.pth"


def test_another_file_of_that_name_is_refused_not_passed_over(tmp_path):
    wrong, right = folder(tmp_path, "wrong", b"another"), folder(tmp_path, "right")
    with pytest.raises(WeightsError, match="is not the published file") as fault:
        find_weights(weights(), [wrong, right])
    message = str(fault.value)
    assert str(wrong / "net.pth") in message
    assert hashlib.sha256(b"another").hexdigest()[:16] in message
    assert weights().sha256[:16] in message


def test_missing_says_where_it_looked_and_what_to_do(tmp_path):
    with pytest.raises(WeightsError, match="set POXLENS_WEIGHTS") as fault:
        find_weights(weights(), [tmp_path])
    assert "net.pth" in str(fault.value)
    assert str(tmp_path) in str(fault.value)
    with pytest.raises(WeightsError, match='install the package "no_such_package"'):
        find_weights(weights(package="no_such_package"))


def test_an_installed_package_carries_it(tmp_path, monkeypatch):
    package = tmp_path / "some_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('never imported')")
    (package / "models").mkdir()
    (package / "models" / "net.pth").write_bytes(DATA)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_weights(weights(package="some_weights")) == package / "models" / "net.pth"
    assert "some_weights" not in sys.modules
    first = folder(tmp_path, "first")
    assert find_weights(weights(package="some_weights"), [first]) == first / "net.pth"


def test_efficientnet_lite0_comes_from_its_package():
    found = find_weights(NETWORKS["efficientnet-lite0"].weights)
    assert hashlib.sha256(found.read_bytes()).hexdigest() == NETWORKS["efficientnet-lite0"].weights.sha256


def test_a_download_is_verified_kept_and_made_once(tmp_path):
    with Hub() as hub:
        wanted = weights(url=hub.url)
        found = find_weights(wanted, cache=tmp_path / "new" / "cache")
        assert found == tmp_path / "new" / "cache" / "net.pth"
        assert found.read_bytes() == DATA
        assert find_weights(wanted, cache=tmp_path / "new" / "cache") == found
        assert hub.asked == ["/net.pth"]


def test_without_a_cache_nothing_is_downloaded(tmp_path):
    with Hub() as hub:
        with pytest.raises(WeightsError, match="not found"):
            find_weights(weights(url=hub.url), [tmp_path])
        assert hub.asked == []


@pytest.mark.parametrize(
    ("hub", "message"),
    [
        (Hub(b"another"), "sent another file"),
        (Hub(status=404), "cannot download net.pth"),
        (Hub(DATA[:50], length=len(DATA)), "cannot download net.pth"),  # the line breaks halfway
    ],
    ids=["wrong", "absent", "cut off"],
)
def test_a_bad_download_leaves_nothing(tmp_path, hub, message):
    with hub, pytest.raises(WeightsError, match=message) as fault:
        find_weights(weights(url=hub.url), cache=tmp_path)
    assert hub.url in str(fault.value)
    assert list(tmp_path.iterdir()) == []


def test_no_hub_is_reachable(tmp_path):
    with Hub() as hub:
        url = hub.url
    with pytest.raises(WeightsError, match="Put the file into a folder"):
        find_weights(weights(url=url), cache=tmp_path)


def test_a_damaged_file_in_the_cache_is_named(tmp_path):
    (tmp_path / "net.pth").write_bytes(DATA[:-1])
    with pytest.raises(WeightsError, match="Delete it and fetch it again"):
        find_weights(weights(url="http://127.0.0.1:9/net.pth"), cache=tmp_path)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_says_where_its_weights_come_from(name):
    network = NETWORKS[name]
    assert network.name == name
    assert len(bytes.fromhex(network.weights.sha256)) == 32
    assert network.weights.sha256[:8] in network.weights.file  # the published name carries the sum
    assert network.weights.licence in {"Apache-2.0", "BSD-3-Clause"}
    assert (network.weights.url or "").startswith("https://") or network.weights.package

"""Weights are found where they may be, and are never other than the published ones."""

import hashlib
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from safetensors.torch import save_file

from poxlens.errors import WeightsError
from poxlens.train.backbones import NETWORKS
from poxlens.train.pins import UnpinnedWeightsWarning, pin, pinned
from poxlens.train.weights import Weights, find_weights, locate_weights, read_tensors

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
    weights = network.weights
    assert network.name == name
    assert weights.licence in {"Apache-2.0", "BSD-3-Clause"}
    assert (weights.url or "").startswith("https://") or weights.package or weights.note
    if weights.sha256:
        assert len(bytes.fromhex(weights.sha256)) == 32
        assert weights.sha256.startswith(weights.prefix)  # the published name carries the sum
    if "download.pytorch.org" in (weights.url or ""):
        assert len(weights.prefix) == 8


def named(file, **changes):
    return weights(file=file, sha256=None, **changes)


def test_without_a_full_sum_the_digits_in_the_name_are_checked(tmp_path):
    digest = hashlib.sha256(DATA).hexdigest()
    right = named(f"net-{digest[:8]}.pth")
    assert (right.check, right.prefix) == ("prefix", digest[:8])
    (tmp_path / right.file).write_bytes(DATA)
    assert find_weights(right, [tmp_path]) == tmp_path / right.file
    (tmp_path / right.file).write_bytes(DATA[:-1])
    with pytest.raises(WeightsError, match=f"is not the published file: .* expected {digest[:8]}"):
        find_weights(right, [tmp_path])


def test_a_download_is_checked_by_the_digits_in_its_name(tmp_path):
    with Hub(b"another") as hub:
        wrong = named("net-00000000.pth", url=hub.url)
        with pytest.raises(WeightsError, match="sent another file"):
            find_weights(wrong, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["net.pth", "net-deadbeef.zip", "net-1234567.pth", "net-v2large00.pth"])
def test_names_without_a_sum_are_pinned_at_first_use(file):
    assert (named(file).check, named(file).prefix) == ("first use", "")


def test_what_was_pinned_stays(tmp_path):
    cache, wanted = tmp_path / "cache", named("net.pth")
    first = folder(tmp_path, "first")
    with pytest.warns(UnpinnedWeightsWarning, match="keeps it, and refuses another file of that name"):
        pin(wanted.file, hashlib.sha256(DATA).hexdigest(), cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pin(wanted.file, hashlib.sha256(DATA).hexdigest(), cache)  # said once
    assert find_weights(wanted, [first], cache=cache) == first / "net.pth"
    other = folder(tmp_path, "other", b"another")
    with pytest.raises(
        WeightsError, match=r"is not the file of its first use: .*take it out of weights\.lock\.json"
    ):
        find_weights(wanted, [other], cache=cache)
    assert find_weights(wanted, [other]) == other / "net.pth"  # that cache is not asked
    with Hub(b"another") as hub, pytest.raises(WeightsError, match="sent another file"):
        find_weights(named("net.pth", url=hub.url), cache=cache)


def test_several_files_are_pinned_side_by_side_and_a_damaged_lock_is_named(tmp_path):
    for file in ("a.pth", "b.pth"):
        with pytest.warns(UnpinnedWeightsWarning, match=file):
            pin(file, "0" * 64, tmp_path)
    assert [pinned(file, [None, tmp_path]) for file in ("a.pth", "b.pth", "c.pth")] == [
        "0" * 64,
        "0" * 64,
        None,
    ]
    (tmp_path / "weights.lock.json").write_text('{"a.pth": ')
    with pytest.raises(WeightsError, match=r"weights\.lock\.json is damaged: .* Delete it"):
        pinned("a.pth", [tmp_path])
    with pytest.warns(UnpinnedWeightsWarning, match="no folder to keep it in"):
        pin("a.pth", "0" * 64, None)


def test_the_first_candidate_at_hand_is_taken(tmp_path):
    one, two = weights(), weights(file="half.safetensors")
    with pytest.raises(WeightsError, match=r"net\.pth \(MIT\) not found"):
        locate_weights([one, two], [tmp_path])
    (tmp_path / "half.safetensors").write_bytes(DATA)
    assert locate_weights([one, two], [tmp_path]) == (two, tmp_path / "half.safetensors")
    (tmp_path / "net.pth").write_bytes(DATA)
    assert locate_weights([one, two], [tmp_path]) == (one, tmp_path / "net.pth")


def test_missing_weights_say_where_to_get_them(tmp_path):
    with pytest.raises(
        WeightsError, match=r"not found .*, and nothing may be downloaded.*get it \(https://hub/a\)"
    ):
        find_weights(weights(url="https://hub/a"), [tmp_path])
    with pytest.raises(WeightsError, match=r"get it \(ask the authors\) and set POXLENS_WEIGHTS"):
        find_weights(weights(note="ask the authors"), [tmp_path])


def test_progress_of_a_download(tmp_path):
    told = []
    with Hub() as hub:
        find_weights(
            weights(url=hub.url), cache=tmp_path, advance=lambda done, whole: told.append((done, whole))
        )
    assert told[-1] == (len(DATA), len(DATA))


class Loud:
    """What a hostile pickle does when it is read."""

    def __reduce__(self):
        return print, ("code of the file ran",)


def test_tensors_are_read_and_nothing_else(tmp_path, capsys):
    state = {"a": torch.arange(3.0), "b": torch.tensor([1.5], dtype=torch.float16), "n": torch.tensor(7)}
    torch.save(state, tmp_path / "net.pth")
    save_file(state, tmp_path / "net.safetensors")
    for file in ("net.pth", "net.safetensors"):
        found = read_tensors(tmp_path / file)
        assert found.keys() == state.keys()
        assert found["b"].dtype == torch.float32
        assert found["n"].dtype == torch.int64
        assert all(torch.equal(found[name], value.to(found[name].dtype)) for name, value in state.items())
        whole = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(whole[:-40])
        with pytest.raises(WeightsError, match=f"{file} cannot be read as weights .*Delete it"):
            read_tensors(tmp_path / file)
    torch.save(Loud(), tmp_path / "loud.pth")
    with pytest.raises(WeightsError, match=r"loud\.pth cannot be read as weights"):
        read_tensors(tmp_path / "loud.pth")
    assert "code of the file ran" not in capsys.readouterr().out
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="something else than a table of tensors"):
        read_tensors(tmp_path / "other.pth")

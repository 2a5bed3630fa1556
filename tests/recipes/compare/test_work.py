from __future__ import annotations

import os
import signal

import pytest

from poxlens.errors import PoxlensError
from poxlens.recipes.compare import work
from poxlens.recipes.compare.run import compare


def test_a_killed_worker_is_named_and_costs_nothing_else(study_of, where, monkeypatch):
    study = study_of(networks=["one", "two"])
    do, main = work.do, os.getpid()

    def killed(job, task):
        if (task.unit.network, task.unit.fold) == ("one", 1):
            assert os.getpid() != main
            os.kill(os.getpid(), signal.SIGKILL)
        return do(job, task)

    monkeypatch.setattr(work, "do", killed)
    done = compare(study, where(jobs=2))
    assert done.failed == {"one/logistic/0.1": work.KILLED}
    assert done.units == 7
    monkeypatch.setattr(work, "do", do)
    again = compare(study, where(jobs=2))
    assert (again.failed, again.units) == ({}, 8)
    undisturbed = compare(study, where("undisturbed"))
    assert (again.out / "predictions.csv").read_bytes() == (undisturbed.out / "predictions.csv").read_bytes()


def test_a_worker_on_another_disk_hands_its_result_over(study_of, where, monkeypatch):
    from dataclasses import replace

    from poxlens.recipes.compare.units import UnitStore

    do = work.do

    def elsewhere(job, task):
        far = UnitStore(job.store.folder.with_name("far"), job.store.basis)
        return do(replace(job, store=far), task)

    monkeypatch.setattr(work, "do", elsewhere)
    done = compare(study_of(), where())
    assert done.units == 4
    assert len(list((done.out / "units").rglob("*.json"))) == 4


def test_a_unit_leaves_the_threads_of_its_process_as_they_were(study_of, where):
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        compare(study_of(), where())
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)


def test_ray_gives_the_same_bytes(study_of, where):
    pytest.importorskip("ray")
    study = study_of(heads=["logistic", "dense"], augmentation=[False])
    local, far = compare(study, where("local")), compare(study, where("ray", engine="ray"))
    assert far.failed == {}
    assert (local.out / "predictions.csv").read_bytes() == (far.out / "predictions.csv").read_bytes()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:99999"])
def test_no_cluster_at_an_address(study_of, where, address):
    pytest.importorskip("ray")
    with pytest.raises(PoxlensError, match=f"no Ray cluster answers at {address}"):
        compare(study_of(), where(engine="ray", address=address))

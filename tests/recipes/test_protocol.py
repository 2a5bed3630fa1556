"""Cross-validation that cannot leak, shown by planting leaks."""

from dataclasses import replace

import numpy as np
import pytest

from poxlens.errors import TrainingError
from poxlens.recipes import protocol
from poxlens.recipes.protocol import Plan, choose_and_fit, deal, leave_source_out, loss, out_of_fold
from poxlens.train.heads import LinearProblem, Preconditioner

PLAN = Plan(strengths=(0.1, 1.0), repeats=2, folds=4, inner_folds=2, jobs=1)


def simple(table, count=80, seed=0, **options):
    """Two classes that features tell apart, two sources that both hold the target, singletons as groups."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    possible = np.eye(2, dtype=bool)[labels]
    features = rng.normal(size=(count, 12)) + 2.5 * labels[:, None] * (np.arange(12) < 3)
    source = np.where(np.arange(count) % 4 < 2, "a", "b")
    return table(features, possible, source, **options)


def test_every_learnable_sample_is_tested_once_a_repeat(table):
    world = simple(table)
    world.possible[[3, 17]] = False  # probes
    found = out_of_fold(world, PLAN)
    probe = np.isin(np.arange(80), [3, 17])
    assert found.logits.shape == (2, 80, 2)
    assert np.array_equal(found.tested, ~probe)
    for repeat in range(2):
        assert np.array_equal(np.isfinite(found.logits[repeat]).all(1), ~probe)
        assert (found.fold[repeat][probe] == -1).all()
        for source in "ab":
            rows = (world.source == source) & ~probe
            sizes = np.bincount(found.fold[repeat][rows], minlength=4)
            assert sizes.sum() == rows.sum()
            assert sizes.min() >= 7
    assert not np.array_equal(found.fold[0], found.fold[1])  # repeats deal anew
    assert set(np.unique(found.strength[:, ~probe])) <= {np.float32(0.1), np.float32(1.0)}
    accuracy = (found.logits[0].argmax(1) == world.possible.argmax(1))[~probe].mean()
    assert accuracy > 0.85


def test_training_never_holds_the_test_fold_its_groups_or_its_suspects(table, monkeypatch):
    rng = np.random.default_rng(1)
    count = 80
    group = np.repeat(np.arange(40), 2)
    suspect = np.triu(rng.random((count, count)) < 0.01, 1)
    suspect |= suspect.T
    world = simple(table, count, group=group, suspect=suspect)
    seen = []

    def spy(table, plan, preconditioner, test, train):
        seen.append((test, train))
        return np.zeros((test.sum(), 2), np.float32), 1.0

    monkeypatch.setattr(protocol, "_test", spy)
    out_of_fold(world, PLAN)
    assert len(seen) == 2 * 2 * 4
    for test, train in seen:
        assert test.any()
        assert train.any()
        assert not np.isin(group[train], group[test]).any()
        assert not world.grouping.suspect[np.ix_(train, test)].any()
        assert len(set(world.source[test])) == 1
        # Nothing else is left out, least of all the other source.
        spared = ~train & ~test
        assert all(
            np.isin(group[i], group[test]) or world.grouping.suspect[i, test].any()
            for i in np.flatnonzero(spared)
        )


def test_training_inside_a_fold_keeps_the_same_promise(table, monkeypatch):
    """The penalty is chosen on inner folds; they hold groups and suspects apart as well."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(20), 3)
    suspect = np.triu(rng.random((60, 60)) < 0.01, 1)
    world = simple(table, 60, group=group, suspect=suspect | suspect.T)
    fits, scored = [], []
    fit, logits = LinearProblem.fit, protocol.LinearHead.logits

    def spy_fit(self, rows=None, **options):
        fits.append(None if rows is None else rows.copy())
        return fit(self, rows, **options)

    def spy_logits(self, features):
        scored.append(features)
        return logits(self, features)

    monkeypatch.setattr(LinearProblem, "fit", spy_fit)
    monkeypatch.setattr(protocol.LinearHead, "logits", spy_logits)
    train = rng.random(60) < 0.8
    choose_and_fit(world, PLAN, Preconditioner.of(world.learnt), train)
    assert len(fits) == 2 * 2 + 1
    assert fits[-1] is None
    part_group, part_suspect = group[train], world.grouping.suspect[np.ix_(train, train)]
    position = {row.tobytes(): i for i, row in enumerate(world.tested[train])}
    for rows, features in zip(fits[:-1], scored, strict=True):
        test = np.array([position[row.tobytes()] for row in features])
        assert not rows[test].any()
        assert not np.isin(part_group[rows], part_group[test]).any()
        assert not part_suspect[np.ix_(rows, test)].any()


def leaking(table):
    """Random labels; every image has a near-identical twin of the same label in another fold's reach."""
    rng = np.random.default_rng(3)
    half = rng.normal(size=(80, 200))
    features = np.concatenate([half, half + rng.normal(0, 0.01, half.shape)])
    labels = rng.integers(0, 2, 80)
    labels = np.concatenate([labels, labels])
    source = np.where(np.arange(160) % 2 == 0, "a", "b")
    twins = np.zeros((160, 160), bool)
    twins[np.arange(160), (np.arange(160) + 80) % 160] = True
    world = table(features, np.eye(2, dtype=bool)[labels], source, suspect=twins)
    return world, labels


def test_a_planted_leak_is_at_chance_under_the_strict_filter_only(table):
    world, labels = leaking(table)
    plan = replace(PLAN, repeats=1, strengths=(1.0,))
    strict = out_of_fold(world, plan)
    assert abs((strict.logits[0].argmax(1) == labels).mean() - 0.5) < 0.16  # four standard errors
    leaky = out_of_fold(world, plan, keep=world.grouping.lenient)  # `loose` holds no twins here
    assert (leaky.logits[0].argmax(1) == labels).mean() > 0.85  # nine standard errors above chance


def test_groups_alone_stop_the_leak_as_well(table):
    world, labels = leaking(table)
    grouped = table(world.learnt, world.possible, ["a"] * 160, group=np.tile(np.arange(80), 2))
    found = out_of_fold(grouped, replace(PLAN, repeats=1, strengths=(1.0,)))
    assert abs((found.logits[0].argmax(1) == labels).mean() - 0.5) < 0.16


def test_a_leak_does_not_steer_the_penalty(table):
    """With twins in the inner folds the weakest penalty would look best; random labels ask for the strongest."""
    world, _ = leaking(table)
    plan = replace(PLAN, strengths=(0.0001, 10.0))
    everything = np.ones(160, bool)
    _, chosen = choose_and_fit(world, plan, Preconditioner.of(world.learnt), everything)
    assert chosen == 0.0001
    open_world = replace(world, grouping=replace(world.grouping, suspect=np.eye(160, dtype=bool)))
    _, leaked = choose_and_fit(open_world, plan, Preconditioner.of(world.learnt), everything)
    assert leaked == 10.0


def test_heads_learn_from_one_kind_of_features_and_are_tested_on_the_other(table):
    world = simple(table)
    flipped = replace(world, tested=-world.learnt + world.learnt.mean(0) * 2)
    right, wrong = out_of_fold(world, PLAN), out_of_fold(flipped, PLAN)
    truth = world.possible.argmax(1)
    assert (right.logits[0].argmax(1) == truth).mean() > 0.85
    assert (wrong.logits[0].argmax(1) == truth).mean() < 0.2


def test_a_source_left_out_is_not_learnt_from(table, monkeypatch):
    world = simple(table)
    seen = []
    original = protocol._test

    def spy(table, plan, preconditioner, test, train):
        seen.append((test, train))
        return original(table, plan, preconditioner, test, train)

    monkeypatch.setattr(protocol, "_test", spy)
    found = leave_source_out(world, PLAN, "a", 0)
    logits = found.logits
    ((test, train),) = seen
    assert np.array_equal(test, world.source == "a")
    assert np.array_equal(train, world.source == "b")
    assert np.isfinite(logits[test]).all()
    assert np.isnan(logits[~test]).all()
    assert (logits[test].argmax(1) == world.possible[test].argmax(1)).mean() > 0.8
    assert found.images == (world.source[world.possible[:, 0]] == "b").sum() == 20
    assert found.groups == 20


def test_the_target_keeps_its_weight_though_a_source_takes_most_of_it(table, monkeypatch):
    labels = np.arange(120) % 2
    source = np.where((labels == 0) & (np.arange(120) > 7), "a", np.where(np.arange(120) % 4 < 2, "a", "b"))
    rng = np.random.default_rng(2)
    world = table(rng.normal(size=(120, 5)), np.eye(2, dtype=bool)[labels], source)
    world = replace(world, weight=np.where(labels == 0, 1.0, 0.5).astype(np.float32))
    seen = []

    def spy(table, plan, preconditioner, test, train):
        seen.append((table.weight[train & (labels == 0)].sum(), table.weight[train & (labels == 1)].sum()))
        return np.zeros((test.sum(), 2), np.float32), 1.0

    monkeypatch.setattr(protocol, "_test", spy)
    found = leave_source_out(world, PLAN, "a", 0)
    ((target, rest),) = seen
    assert found.images == 2
    assert target / rest == pytest.approx(60 / 30)
    assert rest == pytest.approx(0.5 * 30)  # the rest is what it was


def test_suspects_of_a_source_left_out_are_left_out_too(table):
    world, labels = leaking(table)
    crossed = replace(
        world, source=np.where(np.arange(160) < 80, "a", "b")
    )  # all twins stand in the other source
    with pytest.raises(TrainingError):
        leave_source_out(crossed, PLAN, "a", 0)  # nothing is left to learn from
    world.grouping.suspect[:] = np.eye(160, dtype=bool)
    logits = leave_source_out(crossed, replace(PLAN, strengths=(1.0,)), "a", 0).logits
    assert (logits[:80].argmax(1) == labels[:80]).mean() > 0.9


def test_sources_without_the_target_are_tested_together(table):
    rng = np.random.default_rng(4)
    source = np.repeat(["a", "b", "c", "d"], 30)
    labels = np.where(np.isin(source, ["a", "b"]), np.arange(120) % 2, 1)
    world = table(rng.normal(size=(120, 5)), np.eye(2, dtype=bool)[labels], source)
    blocks = dict(world.blocks())
    assert list(blocks) == ["a", "b", "other sources"]
    assert np.array_equal(blocks["other sources"], np.isin(source, ["c", "d"]))
    assert sum(rows.sum() for rows in blocks.values()) == 120
    only = out_of_fold(world, PLAN, only=("b",))
    assert np.array_equal(only.tested, source == "b")


def test_one_and_two_processes_give_the_same_bytes(table):
    world = simple(table)
    one, two = (out_of_fold(world, replace(PLAN, jobs=jobs)) for jobs in (1, 2))
    assert one.logits.tobytes() == two.logits.tobytes()
    assert one.fold.tobytes() == two.fold.tobytes()
    again = out_of_fold(world, replace(PLAN, seed=1))
    assert not np.array_equal(one.fold, again.fold)


def test_progress_is_told_after_each_fold(table):
    calls = []
    out_of_fold(simple(table), PLAN, done=lambda: calls.append(1))
    assert len(calls) == 2 * 2 * 4


class TestDeal:
    def test_folds_are_a_partition_that_keeps_groups_and_strata(self, table):
        group = np.repeat(np.arange(40), 3)
        labels = np.repeat(np.arange(40) % 2, 3)
        world = table(np.zeros((120, 1)), np.eye(2, dtype=bool)[labels], ["a"] * 120, group=group)
        rows = np.arange(120) < 90
        parts = deal(world, rows, 5, seed=0)
        assert len(parts) == 5
        assert np.array_equal(np.sum(parts, 0), rows.astype(int))
        for part in parts:
            assert not np.isin(group[part], group[rows & ~part]).any()
            counts = np.bincount(labels[part], minlength=2)
            assert abs(counts[0] - counts[1]) <= 3
        other = deal(world, rows, 5, seed=1)
        assert any(not np.array_equal(a, b) for a, b in zip(parts, other, strict=True))
        assert all(np.array_equal(a, b) for a, b in zip(parts, deal(world, rows, 5, seed=0), strict=True))

    def test_too_few_groups_are_refused_by_name(self, table):
        possible = np.eye(2, dtype=bool)[[0] * 20 + [1] * 12]
        group = [*range(20), *([20, 20, 20, 21, 21, 21] * 2)]
        world = table(np.zeros((32, 1)), possible, ["clinic"] * 32, group=group)
        with pytest.raises(
            TrainingError, match=r'"clinic: 1" has 2 independent groups .*, too few for 5 folds'
        ):
            deal(world, np.ones(32, bool), 5, seed=0)
        assert len(deal(world, np.ones(32, bool), 2, seed=0)) == 2

    def test_inside_a_fold_a_small_stratum_is_dealt_with_the_largest(self, table):
        """An outer fold can take most groups of a stratum; that must not end a run of an hour."""
        possible = np.eye(3, dtype=bool)[[0] * 20 + [1] * 12 + [2]]
        world = table(np.random.default_rng(0).normal(size=(33, 3)), possible, ["clinic"] * 33)
        everything = np.ones(33, bool)
        with pytest.raises(TrainingError, match=r'"clinic: 2" has 1 independent'):
            deal(world, everything, 3, seed=0)
        parts = deal(world, everything, 3, seed=0, merge=True)
        assert np.array_equal(np.sum(parts, 0), np.ones(33))
        assert all(part[20:32].sum() == 4 for part in parts)
        head, _ = choose_and_fit(
            world, replace(PLAN, inner_folds=3), Preconditioner.of(world.learnt), everything
        )
        assert head.weight.shape == (3, 3)
        with pytest.raises(TrainingError, match="too few for 3 folds"):
            deal(world, np.arange(33) < 2, 3, seed=0, merge=True)
        with pytest.raises(TrainingError, match="has 0 independent groups"):
            deal(world, np.zeros(33, bool), 3, seed=0, merge=True)


def test_loss_is_the_log_loss_of_possible_classes():
    from scipy.special import log_softmax, logsumexp

    rng = np.random.default_rng(5)
    logits = rng.normal(0, 6, (50, 4)).astype(np.float32)
    possible = rng.random((50, 4)) < 0.5
    possible[np.arange(50), rng.integers(0, 4, 50)] = True
    expected = -logsumexp(np.where(possible, log_softmax(logits.astype(float), axis=1), -np.inf), axis=1)
    assert loss(logits, possible) == pytest.approx(expected, abs=1e-4)
    assert loss(np.array([[0.0, 0.0]], np.float32), np.array([[True, False]])) == pytest.approx([np.log(2)])
    assert loss(np.array([[0.0, 500.0]], np.float32), np.array([[True, False]]))[0] > 60

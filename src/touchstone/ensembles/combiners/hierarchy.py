"""Groups of members, each combined by itself, and a combination of what the groups say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from touchstone.arrays import Float64, Int64
from touchstone.config import Config, Range
from touchstone.ensembles import ENSEMBLES, Combined, Members, Outcomes, recalibrates
from touchstone.ensembles.rows import (
    check_scores,
    checked,
    from_files,
    n_kinds,
    reading,
    take,
    to_files,
)
from touchstone.ensembles.timeline import parted
from touchstone.errors import ConfigError, DataError
from touchstone.registration import PartOf
from touchstone.seeding import derive

_OTHERS = "others"


def _weighted() -> Config:
    return ENSEMBLES.parse("weighted")


class HierarchyConfig(Config):
    """Short-horizon and long-horizon members, regime specialists: an inner ensemble for each group,
    an outer one over the groups.

    The outer ensemble is fitted on rows of the last `hold_out` of time, and on what inner ones say
    of them that were fitted to the rows known before; then the inner ones are fitted to all rows.
    So no group is weighed by rows that it was fitted to.

    Source: Jordan & Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm, Neural
    Computation 6(2), section 2, for the tree; Wolpert (1992), Stacked generalization, Neural
    Networks 5(2), for fitting each level on rows that are new to the one below.
    """  # noqa: D205  what it is takes two lines

    kind: Literal["hierarchy"] = "hierarchy"
    groups: Mapping[str, tuple[str, ...]] = {}
    """Name of a group -> its members' names or patterns (`lstm*`). A member belongs to the first
    group that names it; those that none names are a group of their own, `others`."""
    inner: Annotated[Config, PartOf(ENSEMBLES, without=("hierarchy",))] = Field(
        default_factory=_weighted
    )
    """The ensemble within each group."""
    outer: Annotated[Config, PartOf(ENSEMBLES, without=("hierarchy",))] = Field(
        default_factory=_weighted
    )
    """The ensemble over the groups."""
    hold_out: Annotated[float, Field(gt=0, lt=1), Range(0.2, 0.6)] = 0.4
    """Share of the rows' time that the ensemble over the groups is fitted on, the last."""

    @model_validator(mode="after")
    def _ends(self) -> "HierarchyConfig":
        for name, config in (("inner", self.inner), ("outer", self.outer)):
            if isinstance(config, HierarchyConfig):
                raise ConfigError(f"hierarchy: {name} may not be a hierarchy itself")
        empty = [name for name, patterns in self.groups.items() if not name or not patterns]
        if empty or _OTHERS in self.groups:
            raise ConfigError(
                f"hierarchy: group {(empty or [_OTHERS])[0]!r} needs a name that is not "
                f"{_OTHERS!r}, and patterns of members' names"
            )
        return self

    @property
    def recalibrates(self) -> bool:
        """Whether a level does."""
        return recalibrates(self.inner) or recalibrates(self.outer)

    def asks(self, names: tuple[str, ...]) -> None:
        """Refuse members, by their names, of which a group has none.

        Raises:
            ConfigError: names the group.
        """
        _grouped(self, names)


@ENSEMBLES.register(HierarchyConfig)
@dataclass(frozen=True)
class Hierarchy:
    """What the outer combination makes of what the inner ones make of their members."""

    config: HierarchyConfig
    n_outcomes: int
    names: tuple[str, ...]
    """The groups."""
    group: Int64 = field(repr=False)
    """(n_members,) number of each member's group."""
    inner: tuple[Combined, ...] = field(repr=False)
    outer: Combined = field(repr=False)

    @classmethod
    def fit(
        cls, config: HierarchyConfig, members: Members, outcomes: Outcomes, seed: int
    ) -> "Hierarchy":
        """Inner on the earlier rows, outer on the later ones, inner again on all.

        Raises:
            ConfigError: a group without any member.
            DataError: what `rows.checked` refuses, of either part.
        """
        checked(members, outcomes)
        names, group = _grouped(config, members.names)
        part = parted(members.instant, outcomes.known, config.hold_out)
        earlier, later = (take(members, outcomes, rows) for rows in part)
        for which, (_, came) in (("earlier", earlier), ("later", later)):
            if n_kinds(came.outcome, members.score.shape[2]) < 2:
                raise DataError(
                    f"hierarchy: the {which} part of the rows, cut at the last {config.hold_out:g} "
                    f"of time, holds {came.outcome.size} outcomes and not two kinds: give rows "
                    "from a longer stretch"
                )
        first = _inner(config, (names, group), *earlier, seed)
        said = _said(first, group, later[0], None)
        part_of: Any = ENSEMBLES.part_of(config.outer)
        outer = part_of.fit(
            config.outer, later[0]._replace(score=said, name=names), later[1],
            derive(seed, "outer"),
        )  # fmt: skip
        inner = _inner(config, (names, group), members, outcomes, seed)
        return cls(config, members.score.shape[2], names, group, inner, outer)

    def combine(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """What the outer combination says, (n_rows, n_outcomes)."""
        check_scores(members, self.group.size, self.n_outcomes)
        return self.outer.combine(self._groups(members, outcomes), outcomes)

    def weights(self, members: Members, outcomes: Outcomes | None = None) -> Float64:
        """The group's weight times the member's in its group."""
        check_scores(members, self.group.size, self.n_outcomes)
        over = self.outer.weights(self._groups(members, outcomes), outcomes)
        out = np.empty((members.score.shape[1], self.group.size))
        for g, combined in enumerate(self.inner):
            some = np.flatnonzero(self.group == g)
            out[:, some] = combined.weights(_of(members, some), outcomes) * over[:, [g]]
        return out

    def files(self) -> dict[str, bytes]:
        """The groups as JSON, and the files of every combination under its name."""
        content = {"n_outcomes": self.n_outcomes, "names": self.names, "group": self.group}
        found = to_files("hierarchy", content)
        parts = [(f"inner-{g}", combined) for g, combined in enumerate(self.inner)]
        for where, combined in [*parts, ("outer", self.outer)]:
            found |= {f"{where}/{name}": data for name, data in combined.files().items()}
        return found

    @classmethod
    def restore(cls, config: HierarchyConfig, files: Mapping[str, bytes]) -> "Hierarchy":
        """The hierarchy that wrote these files."""
        content = from_files("hierarchy", files)
        with reading("hierarchy"):
            names = tuple(str(name) for name in content["names"])
            group = np.array(content["group"], np.int64)
            if sorted(set(group.tolist())) != list(range(len(names))):
                raise ValueError("every group needs a member and every member a group")
            n_outcomes = int(content["n_outcomes"])
        inner = tuple(_restored(config.inner, files, f"inner-{g}") for g in range(len(names)))
        outer = _restored(config.outer, files, "outer")
        return cls(config, n_outcomes, names, group, inner, outer)

    def _groups(self, members: Members, outcomes: Outcomes | None) -> Members:
        said = _said(self.inner, self.group, members, outcomes)
        return members._replace(score=said, name=self.names)


def _grouped(config: HierarchyConfig, names: tuple[str, ...]) -> tuple[tuple[str, ...], Int64]:
    told = [*config.groups, _OTHERS]

    def number(name: str) -> int:
        for g, patterns in enumerate(config.groups.values()):
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return g
        return len(config.groups)

    found = np.array([number(name) for name in names], np.int64)
    for g, name in enumerate(config.groups):
        if g not in found:
            raise ConfigError(
                f"hierarchy: no member is left for group {name!r} "
                f"({', '.join(config.groups[name])}); the members are {', '.join(names)}"
            )
    used = np.unique(found)
    return tuple(told[g] for g in used), np.searchsorted(used, found).astype(np.int64)


def _of(members: Members, some: Int64) -> Members:
    if some.size == len(members.score):  # a single group: fifty members are not copied
        return members
    names = tuple(members.names[k] for k in some)
    return members._replace(score=members.score[some], name=names)


def _inner(
    config: HierarchyConfig,
    groups: tuple[tuple[str, ...], Int64],
    members: Members,
    outcomes: Outcomes,
    seed: int,
) -> tuple[Combined, ...]:
    part: Any = ENSEMBLES.part_of(config.inner)
    names, group = groups
    return tuple(
        part.fit(
            config.inner, _of(members, np.flatnonzero(group == g)), outcomes,
            derive(seed, "inner", name),
        )
        for g, name in enumerate(names)
    )  # fmt: skip


def _said(
    inner: tuple[Combined, ...], group: Int64, members: Members, outcomes: Outcomes | None
) -> Float64:
    """What each group says, (n_groups, n_rows, n_outcomes)."""
    return np.stack(
        [
            combined.combine(_of(members, np.flatnonzero(group == g)), outcomes)
            for g, combined in enumerate(inner)
        ]
    )


def _restored(config: Config, files: Mapping[str, bytes], where: str) -> Combined:
    begin = f"{where}/"
    own = {name[len(begin) :]: data for name, data in files.items() if name.startswith(begin)}
    return ENSEMBLES.part_of(config).restore(config, own)

"""The graph drawn small, for docs/architecture.md: a box for each module of nodes, a frame for each group.

What belongs here: the drawing as Mermaid text, made from the graph as Dagster has it. What does not: any node, and the
words of the page. `make docs` puts the drawing between the two markers of the page, and a test holds it there.
"""

import importlib
import pkgutil
import sys
from collections import defaultdict
from pathlib import Path

import dagster as dg

import assets
from assets.definitions import defs

BEGIN, END = "<!-- diagram: written by make docs -->\n", "<!-- end of the diagram -->\n"

Arrow = tuple[str, str]


def mermaid() -> str:
    """The drawing, with the fences of Markdown around it."""
    homes, groups = homes_and_groups()
    between_modules, between_groups = set[Arrow](), set[Arrow]()
    for above, below in _made_from(homes):
        if homes[above] == homes[below]:
            continue
        if groups[homes[above]] == groups[homes[below]]:
            between_modules.add((homes[above], homes[below]))
        else:
            between_groups.add((groups[homes[above]], groups[homes[below]]))
    lines = ["```mermaid", "flowchart LR"]
    for group in in_order(between_groups):
        lines.append(f'  subgraph {group}_group["group {group}"]')
        own = [module for module in sorted(groups) if groups[module] == group]
        lines += [_box(module, [asset for asset in homes if homes[asset] == module]) for module in own]
        lines.append("  end")
    lines += [f"  {above} --> {below}" for above, below in sorted(between_modules)]
    lines += [f"  {above}_group ==> {below}_group" for above, below in sorted(without_detours(between_groups))]
    return "\n".join([*lines, "```", ""])


def homes_and_groups() -> tuple[dict[str, str], dict[str, str]]:
    """The module of every asset and the group of every such module, each by its name."""
    homes, groups = {}, {}
    for found in pkgutil.iter_modules(assets.__path__):
        module = importlib.import_module(f"assets.{found.name}")
        nodes = [thing for thing in vars(module).values() if isinstance(thing, dg.AssetsDefinition)]
        for key in sorted(key.to_user_string() for node in nodes for key in node.keys):
            homes[key] = found.name
            groups[found.name] = str(module.GROUP)
    return homes, groups


def in_order(arrows: set[Arrow]) -> list[str]:
    """What the arrows join, each behind everything that has an arrow to it. Raises ValueError where they go in a circle."""
    waiting = sorted({name for arrow in arrows for name in arrow})
    found: list[str] = []
    while waiting:
        ready = [name for name in waiting if not any(above in waiting for above, below in arrows if below == name)]
        if not ready:
            raise ValueError(f"the groups {', '.join(waiting)} are made from each other")
        found += ready
        waiting = [name for name in waiting if name not in ready]
    return found


def without_detours(arrows: set[Arrow]) -> set[Arrow]:
    """The arrows but for those that other arrows say as well, by way of something between. They go in no circle."""
    below = defaultdict(set)
    for above, under in arrows:
        below[above].add(under)

    def reaches(name: str) -> set[str]:
        return below[name] | {far for near in list(below[name]) for far in reaches(near)}

    return {(above, under) for above, under in arrows if not any(under in reaches(way) for way in list(below[above]))}


def _made_from(homes: dict[str, str]) -> list[Arrow]:
    graph = defs.resolve_asset_graph()
    keys = [dg.AssetKey(name) for name in homes]
    return [(parent.to_user_string(), key.to_user_string()) for key in keys for parent in graph.get(key).parent_keys]


def _box(module: str, own: list[str]) -> str:
    return f'    {module}["<b>assets/{module}.py</b><br/>{"<br/>".join(own)}"]'


def written(page: str) -> str:
    """The page with the drawing of today between its markers. Raises ValueError where it has not both of them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has to hold the lines {BEGIN.strip()} and {END.strip()}, in this order")
    return before + BEGIN + mermaid() + END + after


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(written(target.read_text(encoding="utf-8")), encoding="utf-8")

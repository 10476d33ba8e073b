"""A country of any number of areas, as files in the published layouts: the demonstration country with more places in it.

It has 16 reporting years of looked-after counts, both vintages of the populations, the interactive tool, the inspections and
the Innovation Programme; not the publications that nothing but a page of its own rests on.

What belongs here: the further places, in the proportions of the demonstration's regions and kinds of authority, and the
command that writes the country. What does not: the simulation and the layouts (`pipeline.demonstration`), and what is
measured on it (`scale`).

Run `python -m bench.scale_country AREAS FOLDER` in a process of its own. The reference tables that the country brings
along carry the further places, so the pipeline reads it as it reads any other folder.
"""

import shutil
import sys
from itertools import islice, product
from pathlib import Path

from pipeline.demonstration import gazetteer
from pipeline.demonstration.build import build_demonstration

# Longer than the codes of the map, and above the numbers by which the interactive tool knows the nation and its regions.
_FIRST_CODE = 100_001
_IN_BETWEEN = (2022, 2024)  # releases whose years the one before and the one after have
# In small areas, so that no country has more children than fit a published count.
_FEWEST_CHILDREN, _RANGE_OF_CHILDREN = 12_000, 15_000
_SYLLABLES = ("Bre", "Cal", "Dor", "Fen", "Gar", "Hal", "Jor", "Kel", "Lor", "Mar", "Nor", "Ost", "Pel", "Ros", "Sel",
              "Tor", "Ul", "Vel", "Wen", "Yar")  # fmt: skip


def settle(areas: int) -> None:
    """Put so many places on the map that the country has this many authorities in being, or leave it as it is.

    The map itself has some that have ended; they are counted as one of it, because a release lists them as well.
    """
    mapped = [line.split(" ", 3) for line in gazetteer.mapped()]
    ordinary = [row for row in mapped if row[1] not in gazetteer.TOO_SMALL]
    names = (f"{''.join(one).capitalize()}stow" for one in product(_SYLLABLES, repeat=4))
    further, children = [], {}
    for at, name in enumerate(islice(names, max(areas - len(mapped), 0))):
        region, _, area_code, _ = ordinary[at * 37 % len(ordinary)]  # 37 has no part in their number: all take turns
        code = _FIRST_CODE + at
        further.append(f"{region} {code} {area_code[:3]}{code} {name}")
        children[str(code)] = _FEWEST_CHILDREN + at * 7919 % _RANGE_OF_CHILDREN
    gazetteer.settle(further, children)


def main() -> None:
    """Write the country of the number of areas and into the folder that the command line names."""
    areas, folder = int(sys.argv[1]), Path(sys.argv[2])
    settle(areas)
    build_demonstration(folder, optional=False)
    for release in _IN_BETWEEN:
        shutil.rmtree(folder / "children_looked_after" / str(release))


if __name__ == "__main__":
    main()

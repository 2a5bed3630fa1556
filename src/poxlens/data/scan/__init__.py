"""One pass over all files of a table: digests, sizes, metadata, traits, perceptual hashes and fingerprints."""

from poxlens.data.scan.columns import Scan
from poxlens.data.scan.run import scan
from poxlens.data.scan.traits import TRAITS, Trait

__all__ = ["TRAITS", "Scan", "Trait", "scan"]

"""What is said of object stores by more than one who asks them.

Apart from obstore's errors: whoever keeps objects on this machine has no obstore.
"""

from __future__ import annotations


def elsewhere(doing: str) -> str:
    """The sentence for a store that leads on to another address."""
    return (
        f"The object store sent us elsewhere while {doing}: look at AWS_REGION, which "
        "has to be the bucket's, and at AWS_ENDPOINT_URL."
    )


def nonsense(doing: str) -> str:
    """The sentence for what answers, but not as stores do."""
    return (
        f"The object store's answer made no sense while {doing}: make sure that its "
        "address is the store's own, not that of a page or another server."
    )

"""What a store's refusals and silences are called."""

from __future__ import annotations

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.object_faults import store_faults

SAID = {
    "The object store did not answer while reading.": OSError("timed out"),
    "The object store answered 503 while reading.": GenericError("status code: 503"),
    "The object store has no such bucket.": GenericError("<Code>NoSuchBucket</Code>"),
    "The object store refused access while reading: look at the credentials, the "
    "bucket's policy and this machine's clock.": PermissionDeniedError("no"),
    "This kind of object store has no way of reading.": NotImplementedError("copy"),
}


@pytest.mark.parametrize("sentence", SAID)
def test_each_is_called_what_it_is(sentence: str) -> None:
    with pytest.raises(StorageUnavailable) as fault, store_faults("reading"):
        raise SAID[sentence]
    assert fault.value.detail == sentence


def test_what_is_no_fault_of_the_store_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), store_faults("reading"):
        raise ZeroDivisionError

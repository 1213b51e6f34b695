"""What a store's refusals and silences are called."""

from __future__ import annotations

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.object_faults import is_refusal, store_faults

REFUSED = (
    "The object store refused access while reading: look at the credentials, the "
    "bucket's policy and this machine's clock."
)
ELSEWHERE = (
    "The object store sent us elsewhere while reading: look at AWS_REGION, which has "
    "to be the bucket's, and at AWS_ENDPOINT_URL."
)
NONSENSE = (
    "The object store's answer made no sense while reading: make sure that its address "
    "is the store's own, not that of a page or another server."
)
SAID = {
    "The object store did not answer while reading.": OSError("timed out"),
    "The object store answered 503 while reading.": GenericError("status code: 503"),
    "The object store has no such bucket.": GenericError("<Code>NoSuchBucket</Code>"),
    REFUSED: PermissionDeniedError("no"),
    "This kind of object store has no way of reading.": NotImplementedError("copy"),
}


@pytest.mark.parametrize("sentence", SAID)
def test_each_is_called_what_it_is(sentence: str) -> None:
    with pytest.raises(StorageUnavailable) as fault, store_faults("reading"):
        raise SAID[sentence]
    assert fault.value.detail == sentence


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        (REFUSED, "status code: 400 Bad Request: <Code>ExpiredToken</Code>"),
        (REFUSED, "status code: 400 Bad Request: <Code>InvalidToken</Code>"),
        (ELSEWHERE, "status code: 400: <Code>AuthorizationHeaderMalformed</Code>"),
        (ELSEWHERE, "Received redirect without LOCATION, this normally indicates"),
    ],
)
def test_what_no_patience_mends_is_a_refusal(sentence: str, words: str) -> None:
    """Keys that have run out and a wrong region: nobody is to wait for the store."""
    with pytest.raises(StorageUnavailable) as fault, store_faults("reading"):
        raise GenericError(words)
    assert fault.value.detail == sentence
    assert is_refusal(fault.value)


@pytest.mark.parametrize(
    "words",
    [
        "Got invalid list response: unexpected `Event::Eof`",
        "Unable to extract metadata from headers: ETag Header missing from response",
        "Received non-partial response when range requested",
    ],
)
def test_what_no_store_says_is_told_from_silence(words: str) -> None:
    with pytest.raises(StorageUnavailable) as fault, store_faults("reading"):
        raise GenericError(words)
    assert fault.value.detail == NONSENSE
    assert not is_refusal(fault.value)


def test_what_is_being_made_can_not_be_missing() -> None:
    """It is the store that has lost it, and no source of anybody's."""
    with (
        pytest.raises(StorageUnavailable, match="404 while writing"),
        store_faults("writing", reads=False),
    ):
        raise FileNotFoundError("status code: 404 <Code>NoSuchUpload</Code>")


def test_what_is_no_fault_of_the_store_is_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), store_faults("reading"):
        raise ZeroDivisionError

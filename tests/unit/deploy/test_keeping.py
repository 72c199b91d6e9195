"""What the log of a release says of its data, and how long a release may take to become ready."""

from support.deploy.keeping import Building, read

LOOK = '{"collections": 3, "records": 41000, "rebuilt": 2, "removed": 1, "seconds": 0.4}'
EACH = (
    '{"tenant": "default_tenant", "database": "d", "collection": "c", "records": 41000, "outcome": "rebuilt"}'
)
BUILDS = '{"rebuilding": 2, "records": 41000, "built": 0}'
NEXT = '{"rebuilding": 1, "records": 41000, "built": 1000}'
ANSWERS = '{"answering": 3, "seconds": 20.5}'


def test_the_last_word_about_the_building_counts() -> None:
    told = read([EACH, LOOK, "Starting HTTP server", "{ no JSON", BUILDS, NEXT])
    assert told.building == Building(left=1, built=1000, records=41000)
    assert str(told.building) == "the index of one collection is being built anew: 1,000 of 41,000 records"
    assert (
        told.found
        == "3 collections, 41,000 records, 2 indexes rebuilt, 1 index directories of nobody removed"
    )


def test_nothing_is_being_built_once_every_collection_answers() -> None:
    told = read([LOOK, BUILDS, NEXT, ANSWERS])
    assert (told.building, told.answered) == (None, 20.5)
    told = read([BUILDS, ANSWERS, LOOK])
    assert (told.building, told.answered) == (None, None), "the container has started anew"


def test_a_log_of_another_image_says_nothing() -> None:
    assert read(["Connect to Chroma at: http://127.0.0.1:8000"]).found == ""


def test_a_sound_volume_is_told_as_sound() -> None:
    assert (
        read(['{"collections": 0, "records": 0, "seconds": 0.1}']).found
        == "0 collections, 0 records, all sound"
    )


def test_what_the_last_start_found_torn_is_known_by_its_id() -> None:
    one = '{"collection": "c", "id": "1", "torn": "it breaks off", "records": 3, "outcome": "rebuilt"}'
    sound = '{"collection": "d", "id": "2", "records": 3, "outcome": "sound"}'
    assert read([one, sound, LOOK, BUILDS]).torn == {"1"}
    assert read([one, LOOK, sound, LOOK]).torn == frozenset(), "the container has started anew"

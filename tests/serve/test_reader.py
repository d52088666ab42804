"""Reading a page: attempts, rotation, salvage, and the status each ends in."""

import base64

import numpy as np
import pytest

from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.pages.image import decode_png
from scriptorium.pages.rotation import rotate
from scriptorium.serve.adapter import Adapter, load
from scriptorium.serve.client import ChatClient
from scriptorium.serve.reader import Reading, read_page

from .scripted import Reply, ScriptedServer, answer, in_turn

GOOD = answer(encode(FrontMatter(), "Some text."))
LONG = answer(encode(FrontMatter(), "Some text that goes on and o"), "length")
NO_HEAD = answer("Just text.")
WRONG_HEAD = answer(encode(FrontMatter(primary_language="English"), "Just text."))
EMPTY = answer(encode(FrontMatter(), None))

PATIENT = load("tiny").model_copy(update={"temperatures": [0.0, 0.3, 0.7]})


def page() -> np.ndarray:
    """A page that looks different from each side."""
    image = np.full((224, 168, 3), 255, np.uint8)
    image[10:40, 20:120] = 0
    return image


def turned(degrees: int) -> Reply:
    """An answer that says how the page lies."""
    return answer(encode(FrontMatter(is_rotation_valid=False, rotation_correction=degrees), "edis"))


def read(
    *replies: Reply, image: np.ndarray | None = None, adapter: Adapter | None = None
) -> tuple[Reading, list]:
    with ScriptedServer(in_turn(*replies)) as server, ChatClient(server.endpoint, patience=5) as client:
        reading = read_page(client, adapter or PATIENT, page() if image is None else image)
    return reading, server.requests


def sent_image(request: dict) -> np.ndarray:
    url = request["messages"][0]["content"][1]["image_url"]["url"]
    return decode_png(base64.b64decode(url.partition(",")[2]))


def test_a_good_answer_is_taken_at_once() -> None:
    reading, requests = read(GOOD)
    assert (reading.status, reading.text, reading.attempts, reading.reason) == ("ok", "Some text.", 1, "")
    assert reading.front == FrontMatter()
    assert requests[0]["temperature"] == 0.0
    assert requests[0]["messages"][0]["content"][0]["text"] == load("tiny").prompt
    assert np.array_equal(sent_image(requests[0]), page())


@pytest.mark.parametrize("bad", [LONG, NO_HEAD, WRONG_HEAD, EMPTY])
def test_a_bad_answer_is_followed_by_the_next_temperature(bad: Reply) -> None:
    reading, requests = read(bad, bad, GOOD)
    assert (reading.status, reading.text, reading.attempts) == ("ok", "Some text.", 3)
    assert [request["temperature"] for request in requests] == PATIENT.temperatures
    assert len({request["seed"] for request in requests}) == 3
    assert (reading.tokens, reading.prompt_tokens) == (15, 30)


@pytest.mark.parametrize(
    ("bad", "status", "text", "reason"),
    [
        (LONG, "salvaged", "Some text that goes on and", "cut off"),
        (WRONG_HEAD, "salvaged", "Just text.", "primary_language"),
        (NO_HEAD, "gave_up", "", "front matter"),
        (EMPTY, "gave_up", "", "no text"),
        (answer("---\nprim", "length"), "gave_up", "", "front matter"),
        (answer("", "content_filter"), "gave_up", "", "front matter"),
        ((413, {}, "too large"), "gave_up", "", "413 too large"),
    ],
)
def test_when_nothing_good_comes(bad: Reply, status: str, text: str, reason: str) -> None:
    reading, _ = read(bad)
    assert (reading.status, reading.text) == (status, text)
    assert reason in reading.reason


def test_a_picture_may_have_no_text() -> None:
    reading, _ = read(answer(encode(FrontMatter(is_diagram=True), None)))
    assert (reading.status, reading.text, reading.attempts) == ("ok", "", 1)


def test_a_blank_page_is_not_sent() -> None:
    reading, requests = read(GOOD, image=np.full((224, 168, 3), 255, np.uint8))
    assert (reading.status, reading.text, requests) == ("blank", "", [])


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_on_its_side_is_turned_and_read_again(degrees: int) -> None:
    reading, requests = read(turned(degrees), GOOD)
    assert (reading.status, reading.text, reading.rotation) == ("ok_rotated", "Some text.", degrees)
    assert np.array_equal(sent_image(requests[1]), rotate(page(), degrees))


def test_turns_add_up() -> None:
    reading, requests = read(turned(270), turned(180), GOOD)
    assert (reading.status, reading.rotation) == ("ok_rotated", 90)
    assert np.array_equal(sent_image(requests[2]), rotate(page(), 90))


def test_a_page_is_not_turned_in_circles() -> None:
    reading, requests = read(turned(180))
    assert len(requests) == 2
    assert (reading.status, reading.text) == ("ok_rotated", "edis")


def test_a_request_too_long_asks_for_less() -> None:
    reading, requests = read((400, {}, "the maximum context length is 1024"), GOOD)
    assert (reading.status, reading.attempts) == ("ok", 2)
    assert requests[1]["max_tokens"] < requests[0]["max_tokens"]


VLLM = "This model's maximum context length is 1000 tokens. However, you requested 1030 tokens ({} in the"


def test_the_answer_gets_the_room_that_the_server_says_it_has() -> None:
    refused = (400, {}, VLLM.format(900) + " messages, 130 in the completion).")
    reading, requests = read(refused, GOOD)
    assert (reading.status, reading.attempts) == ("ok", 2)
    assert [request["max_tokens"] for request in requests] == [130, 100]
    assert np.array_equal(sent_image(requests[1]), page())


def test_an_image_that_leaves_no_room_gets_smaller() -> None:
    refused = (400, {}, VLLM.format(1200) + " messages, 130 in the completion).")
    reading, requests = read(refused, refused, GOOD)
    assert (reading.status, reading.attempts) == ("ok", 3)
    assert [request["max_tokens"] for request in requests] == [130, 130, 130]
    assert [sent_image(request).shape[:2] for request in requests] == [(224, 168), (168, 126), (126, 94)]
    assert sent_image(requests[2])[12, 40].max() < 64  # the bar is where it was, in proportion
    assert sent_image(requests[2])[80, 40].min() > 192


@pytest.mark.parametrize("refused", [(400, {}, "the context size is exceeded"), (413, {}, "")])
def test_where_the_room_is_not_said_both_get_smaller_in_turn(refused: Reply) -> None:
    patient = PATIENT.model_copy(update={"temperatures": [0.0] * 8})
    reading, requests = read(refused, adapter=patient)
    assert (reading.status, reading.attempts) == ("gave_up", 4)
    assert [request["max_tokens"] for request in requests] == [130, 65, 65, 32]
    assert [sent_image(request).shape[0] for request in requests] == [224, 224, 168, 168]


def test_a_page_that_lies_on_its_side_stays_small_when_it_is_turned() -> None:
    refused = (400, {}, VLLM.format(1200) + " messages, 130 in the completion).")
    reading, requests = read(refused, turned(90), GOOD)
    assert (reading.status, reading.rotation) == ("ok_rotated", 90)
    assert sent_image(requests[2]).shape[:2] == (126, 168)


def test_markdown_parser_takes_the_answer_as_it_is() -> None:
    reading, _ = read(NO_HEAD, adapter=PATIENT.model_copy(update={"parser": "markdown"}))
    assert (reading.status, reading.text, reading.front) == ("ok", "Just text.", None)

"""Alarms ring once, survive any server, and tell no secret."""

import json
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from touchstone.errors import ConfigError, DataError
from touchstone.market.findings import Finding, Place, Severity
from touchstone.monitoring.alarms import ALARMS, Alarm
from touchstone.pipelines.alarms import alarms_of, raise_alarms

SECRET = "s3cr3t-t0k3n"


class Server:
    """A real server on loopback that answers as told, and keeps what it was sent."""

    def __init__(self):
        self.answers: list[int | str] = []
        self.got: list[dict] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                how = outer.answers.pop(0) if outer.answers else 204
                if how == "hang":
                    time.sleep(1.0)
                    return
                if how == "drop":
                    self.close_connection = True
                    return
                outer.got.append(json.loads(body))
                self.send_response(how)
                self.send_header("content-length", "0")
                if how == 302:
                    self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_port}/hooks/{SECRET}"

    def config(self, **more):
        settings = {"timeout_seconds": 0.2, "pause_seconds": 0.01, **more}
        return ALARMS.parse({"kind": "webhook", "url": self.url, **settings})


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()
    made.thread.join()


def alarm(symbol="BTCUSDT", severity=Severity.DOUBT, sentence="the price leaps"):
    return Alarm("data check bars", symbol, "spikes", "2024-01-01T00:00:00Z", severity, sentence)


def send(config, *alarms):
    return ALARMS.part_of(config)(config, alarms)


def test_a_webhook_gets_every_alarm_in_one_document(server):
    sent = send(server.config(), alarm(), alarm("ETHUSDT", Severity.REFUSE))
    assert sent == (True, 1, "")
    (document,) = server.got
    assert document["left_out"] == 0
    first, second = document["alarms"]
    assert (first["subject"], first["severity"]) == ("ETHUSDT", "refuse"), "the gravest first"
    assert second == alarm().as_dict()


@pytest.mark.parametrize("answers", [[503], ["hang"], ["drop"], [429, "hang"], [500, 502]])
def test_a_server_that_recovers_gets_it_in_the_end(server, answers):
    server.answers = list(answers)
    sent = send(server.config(), alarm())
    assert (sent.ok, sent.n_tries) == (True, len(answers) + 1)
    assert server.got[-1]["alarms"] == [alarm().as_dict()]


@pytest.mark.parametrize(
    ("answers", "n_tries", "told"),
    [
        ([500, 500, 500], 3, "answered 500"),
        (["hang"] * 3, 3, "ReadTimeout"),
        (["drop"] * 3, 3, "RemoteProtocolError"),
        ([404], 1, "answered 404"),  # another try would not change it
        ([302], 1, "answered 302"),  # a redirect could carry the secret elsewhere
    ],
)
def test_a_server_that_does_not_is_told_of_without_the_secret(server, answers, n_tries, told):
    server.answers = list(answers)
    sent = send(server.config(), alarm())
    assert (sent.ok, sent.n_tries) == (False, n_tries)
    assert told in sent.problem
    assert "127.0.0.1" in sent.problem
    assert SECRET not in sent.problem


def test_nobody_there_never_raises():
    config = ALARMS.parse({"kind": "webhook", "url": f"http://127.0.0.1:1/{SECRET}", "tries": 1})
    sent = send(config, alarm())
    assert not sent.ok
    assert SECRET not in sent.problem


def test_the_secret_stands_in_no_log_no_dump_and_no_error(server, caplog):
    config = server.config()
    with caplog.at_level(logging.DEBUG):
        send(config, alarm())
        server.answers = [500, 500, 500]
        send(config, alarm())
    assert len(server.got) == 4
    assert SECRET not in caplog.text
    assert SECRET not in repr(config) + config.canonical() + str(config.model_dump())
    with pytest.raises(ConfigError) as raised:
        ALARMS.parse({"kind": "webhook", "url": f"ftp://{SECRET}"})
    assert SECRET not in str(raised.value)
    assert all(not logging.getLogger(n).filters for n in ("httpx", "httpcore"))


def test_more_than_a_megabyte_is_counted_not_sent(server):
    many = [alarm(f"S{k}", sentence="x" * 20_000) for k in range(100)]
    assert send(server.config(timeout_seconds=5.0), *many, alarm("LAST", Severity.REFUSE)).ok
    (document,) = server.got
    assert document["alarms"][0]["subject"] == "LAST"
    assert document["left_out"] == 101 - len(document["alarms"]) > 0


def test_a_log_line_is_one_line_of_json_whatever_a_symbol_holds(caplog):
    with caplog.at_level(logging.INFO, logger="touchstone.alarms"):
        sent = send(ALARMS.parse("log"), alarm("X\nCRITICAL faked"), alarm(severity=Severity.WARN))
    assert sent.ok
    first, second = caplog.records
    assert "\n" not in first.getMessage()
    told = json.loads(first.getMessage().removeprefix("alarm "))
    assert told["subject"] == "X\nCRITICAL faked"
    assert (first.levelname, second.levelname) == ("ERROR", "WARNING")


@pytest.mark.parametrize("kind", ALARMS.kinds())
def test_every_alarm_says_what_became_of_it(kind, server):
    settings = {"kind": kind, "url": server.url} if kind == "webhook" else {"kind": kind}
    sent = send(ALARMS.parse(settings), alarm())
    assert sent.ok
    assert sent.n_tries == 1


def finding(symbol="A", check="gaps", severity=Severity.DOUBT, first=0):
    place = Place(0, 1, first, first + 1)
    return Finding(symbol, check, severity, place, 1, 1.0, 0.0, f"{symbol} {check} {severity.name}")


def test_findings_become_alarms_from_a_severity_on_each_place_once():
    found = [
        finding(), finding(), finding(severity=Severity.REFUSE), finding(first=10**9),
        finding("B", severity=Severity.WARN), finding("C", severity=Severity.NOTE),
        finding("A", "spikes"),
    ]  # fmt: skip
    alarms = alarms_of("folder", found)
    assert [(a.subject, a.kind, a.place, a.severity) for a in alarms] == [
        ("A", "gaps", "1970-01-01T00:00:00Z", Severity.REFUSE),
        ("A", "gaps", "1970-01-01T00:00:01Z", Severity.DOUBT),
        ("A", "spikes", "1970-01-01T00:00:00Z", Severity.DOUBT),
    ]
    assert len(alarms_of("folder", found, Severity.WARN)) == 4


def test_an_alarm_rings_once_while_it_stands_and_anew_when_it_comes_back(server, tmp_path):
    memory, config = tmp_path / "deep" / "alarms.json", server.config()
    both = alarms_of("folder", [finding(), finding("B")])

    def ring(alarms, source="folder"):
        return raise_alarms(source, alarms, [config], memory)[0].n_tries

    def last():
        return [a["subject"] for a in server.got[-1]["alarms"]]

    assert (ring(both), last()) == (1, ["A", "B"])
    assert ring(both) == 0
    more = (*both, *alarms_of("folder", [finding("C")]))
    assert (ring(more), last()) == (1, ["C"])
    assert ring(both) == 0
    assert ring(()) == 0  # all is well
    assert (ring(both), last()) == (1, ["A", "B"])
    assert ring(both, "another folder") == 1
    assert SECRET not in memory.read_text()


def test_what_could_not_be_sent_is_tried_again_and_others_are_not_disturbed(server, tmp_path):
    memory, alarms = tmp_path / "alarms.json", alarms_of("folder", [finding()])
    senders = [server.config(tries=1), ALARMS.parse("log")]
    server.answers = [500]
    assert [s.ok for s in raise_alarms("folder", alarms, senders, memory)] == [False, True]
    again = raise_alarms("folder", alarms, senders, memory)
    assert [(s.ok, s.n_tries) for s in again] == [(True, 1), (True, 0)]


@pytest.mark.parametrize("text", ["not json", "[1]", '{"folder": {"log:1": [["A"]]}}'])
def test_a_broken_memory_says_so(tmp_path, text):
    (tmp_path / "alarms.json").write_text(text)
    with pytest.raises(DataError, match="remove the file"):
        raise_alarms("folder", (), [ALARMS.parse("log")], tmp_path / "alarms.json")

"""The guide's commands run as they stand, against a vendor on loopback."""

import os
import re
import subprocess
import sys
from pathlib import Path

from downloads import walk
from vendor_server import VendorServer, article
from walks import HOUR_NS, START_NS

GUIDE = (Path(__file__).parents[2] / "docs" / "download.md").read_text()


def test_commands_run(tmp_path):
    fences = re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
    commands = [line[2:] for fence in fences for line in fence.splitlines()]
    assert len(commands) >= 5
    bars = {s: walk(s, 700, i) for i, s in enumerate(("SPY", "AAPL", "BTC/USD"))}
    written = [article(1, ["AAPL"], START_NS + 5 * HOUR_NS)]
    with VendorServer(bars, articles=written) as server:
        env = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "TOUCHSTONE_VENDOR_URL": server.url,
            "APCA_API_KEY_ID": "key", "APCA_API_SECRET_KEY": "secret",
        }  # fmt: skip
        for command in commands:
            done = subprocess.run(
                command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True,
                check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", GUIDE):
        assert (Path(__file__).parents[2] / "docs" / link).exists(), link

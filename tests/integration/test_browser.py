# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front end of lms, published to LocalStack, and looked at in a real browser as S3 serves it there."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests.integration import chromium
from tests.integration.playbooks import ROOT, play
from tests.localstack import client as localstack

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not chromium.BINARY, reason="there is no Chromium on the PATH to look at the website with"),
    pytest.mark.skipif(not localstack.installed(), reason="LocalStack is not installed: make browser does that"),
]
NAME = "lms.example.org"
# What the alias records of lms lead to. The browser finds LocalStack there.
ENDPOINT = "s3-website.eu-central-1.amazonaws.com"
HOME = f"http://{NAME}.{ENDPOINT}"
SCREENSHOTS = ROOT / "build" / "browser"
SITE = ("playbooks/site.yml", "--tags", "static_site,dns", "--limit", "lms,lms-front-end")


class Website:
    """What two runs said, and a browser that finds the website."""

    def __init__(self, emulator, folder, browser):
        shutil.copytree(ROOT / "inventories" / "lms", folder)
        everything = folder / "group_vars" / "all.yml"
        variables = yaml.safe_load(everything.read_text())
        # LocalStack has no DynamoDB without Java, so no locks.
        del variables["dockyard_remote_state"]
        everything.write_text(yaml.safe_dump(variables))
        self.check, self.run, self.second = (
            play(emulator, *SITE, *arguments, inventory=folder / "hosts.yml") for arguments in (["--check"], [], [])
        )
        self.browser = browser

    def look(self, path, name=None):
        visit = self.browser.open(f"{HOME}{path}")
        if name:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            self.browser.screenshot(SCREENSHOTS / f"{name}.png")
        return visit


@pytest.fixture(scope="module")
def website(tmp_path_factory):
    with localstack.LocalStack() as emulator, chromium.Chromium(emulator.address) as browser:
        yield Website(emulator, tmp_path_factory.mktemp("browser") / "inventory", browser)


def test_the_run_does_what_the_plan_said_and_the_next_nothing(website):
    assert website.run.code == 0, website.run.failed_messages()
    assert sorted(website.run.done()) == sorted(website.check.plan())
    assert (website.second.code, website.second.changed, website.second.plan()) == (0, 0, [])


PAGES = {
    "index": ("/", 200, "Learning platform"),
    "deep-link": ("/courses/statistics/", 200, "Statistics · Learning platform"),
    "error": ("/courses/alchemy", 404, "Not found · Learning platform"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_shown_with_its_style(website, name):
    path, status, title = PAGES[name]
    visit = website.look(path, name)
    assert visit.answer(path) == (status, "text/html; charset=utf-8")
    assert website.browser.ask("document.title") == title
    assert (
        website.browser.ask("getComputedStyle(document.querySelector('header')).backgroundColor") == "rgb(20, 80, 122)"
    )
    assert website.browser.ask("document.querySelector('header img').naturalWidth > 0")


LOADED = {
    "/assets/app.3b7e.js": "text/javascript; charset=utf-8",
    "/assets/style.8f2a.css": "text/css; charset=utf-8",
    "/assets/icon.5d1c.svg": "image/svg+xml",
}


def test_everything_that_the_page_asks_for_comes_as_what_it_is(website):
    visit = website.look("/")
    assert {path: visit.answer(path)[1] for path in LOADED} == LOADED
    assert visit.complaints == []


def test_the_module_runs_which_it_does_only_as_javascript(website):
    website.look("/courses/statistics/")
    shown = website.browser.ask("document.querySelector('#status').textContent")
    assert shown == "Courses come from https://api.lms.example.org."


REDIRECTS = {
    "/courses/statistics": (302, "/courses/statistics/"),
    "/class/statistics/": (301, f"{HOME}/courses/statistics/"),
}


@pytest.mark.parametrize("path", REDIRECTS)
def test_the_way_to_a_folder_and_of_old_links_leads_to_the_page(website, path):
    visit = website.look(path)
    assert visit.redirects() == [REDIRECTS[path]]
    assert website.browser.ask("document.title") == PAGES["deep-link"][2]


def test_the_other_name_leads_to_the_site(website):
    visit = website.browser.open(f"http://www.{NAME}.{ENDPOINT}/courses/")
    assert visit.redirects() == [(301, f"http://{NAME}/courses/")]

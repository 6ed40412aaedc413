"""The station page in Debian's Chromium against the real gateway with simulated instruments."""
import json
import shutil
import tempfile
import time
import urllib.parse
import urllib.request

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from conftest import wait_until  # noqa: E402

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--window-size=1280,1600")

# In one worker, so that one browser starts.
pytestmark = [pytest.mark.xdist_group("page"), pytest.mark.slow(54)]


@pytest.fixture(scope="module")
def chromium():
    if not (shutil.which(CHROMIUM) and shutil.which(DRIVER)):
        pytest.skip("chromium and chromium-driver are not installed")
    profile = tempfile.mkdtemp(prefix="sluice-chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for a in ARGUMENTS + (f"--user-data-dir={profile}", "--lang=en", "--accept-lang=en"):
        options.add_argument(a)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    driver.set_page_load_timeout(30)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def browser(chromium):
    """As new: every station has a port of its own, so nothing is remembered of another."""
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    chromium.get("about:blank")
    for log in ("browser", "performance"):
        chromium.get_log(log)
    return chromium


def text(browser, selector):
    """The text now, read in one step: the page may replace the element meanwhile."""
    return browser.execute_script(
        "return document.querySelector(arguments[0])?.textContent.trim() ?? ''", selector)


def count(browser, selector):
    return browser.execute_script("return document.querySelectorAll(arguments[0]).length", selector)


def attribute(browser, selector, name):
    return browser.execute_script(
        "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? ''", selector,
        name)


def open_live(browser, url):
    browser.get(url)
    wait_until(lambda: attribute(browser, "[data-link]", "data-link") == "live", 15, "the stream")
    wait_until(lambda: count(browser, ".card[data-state=good]") >= 4, 15, "good readings")


def complaints(browser):
    return [m["message"] for m in browser.get_log("browser") if m["level"] in ("SEVERE", "WARNING")]


def requested_hosts(browser):
    hosts = set()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            parts = urllib.parse.urlsplit(message["params"]["request"]["url"])
            if parts.scheme in ("http", "https", "ws", "wss"):
                hosts.add(parts.netloc)
    return hosts


def test_values_and_clock_move_without_a_reload(browser, demo_page):
    open_live(browser, demo_page)
    browser.execute_script("window.isTheSamePage = true")
    ozone = '[data-channel="roof-o3/ozone"]'
    before = (attribute(browser, f"{ozone} time", "datetime"), text(browser, "#now"))
    wait_until(lambda: attribute(browser, f"{ozone} time", "datetime") != before[0], 10, "a sample")
    wait_until(lambda: text(browser, "#now") != before[1], 5, "the clock")
    assert text(browser, f"{ozone} .value") not in ("", "–")
    assert browser.execute_script("return window.isTheSamePage === true")
    assert not complaints(browser)


def test_the_log_s_count_grows_on_the_page(browser, demo_page):
    open_live(browser, demo_page)

    def samples():
        return int("".join(c for c in text(browser, "[data-tile=log] .n") if c.isdigit()) or 0)
    before = samples()
    wait_until(lambda: samples() > before, 10, "the log's tile")


def test_the_language_switches_both_ways_and_is_remembered(browser, demo_page):
    open_live(browser, demo_page)
    assert text(browser, "h1") == "Test"
    browser.find_element(By.CSS_SELECTOR, "[data-lang=zh]").click()
    wait_until(lambda: text(browser, "h1") == "试验站", 10, "Chinese")
    assert browser.execute_script("return document.documentElement.lang") == "zh-CN"
    assert "报警" in text(browser, "#h-alerts")
    wait_until(lambda: text(browser, '[data-channel="roof-o3/ozone"] .word') == "正常", 10, "a state")
    browser.get(demo_page)
    wait_until(lambda: text(browser, "h1") == "试验站", 10, "the language remembered")
    browser.find_element(By.CSS_SELECTOR, "[data-lang=en]").click()
    wait_until(lambda: text(browser, "h1") == "Test", 10, "English")
    assert not complaints(browser)


def test_a_card_opens_its_curve_and_table_by_keyboard(browser, demo_page):
    open_live(browser, demo_page)
    button = browser.find_element(By.CSS_SELECTOR, '[data-channel="roof-o3/ozone"] button')
    button.send_keys(Keys.ENTER)
    wait_until(lambda: count(browser, "#detail[open] #chart canvas") > 0, 15, "the curve")
    assert "roof-o3/ozone" in text(browser, "#detail-where")
    browser.find_element(By.CSS_SELECTOR, "#detail-table summary").click()
    wait_until(lambda: count(browser, "#table-body tr") > 0, 5, "the table")
    browser.find_element(By.CSS_SELECTOR, "[data-hours='1']").click()
    wait_until(lambda: attribute(browser, "[data-hours='1']", "aria-pressed") == "true", 5, "1 h")
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_until(lambda: count(browser, "#detail[open]") == 0, 5, "the dialog to close")
    assert browser.execute_script(
        "return document.activeElement.closest('[data-channel]')?.dataset.channel") == "roof-o3/ozone"
    assert not complaints(browser)


def table_rows(browser):
    """[[time, value, state], ...] of the table, newest first."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#table-body tr')]"
        ".map((tr) => [...tr.children].map((td) => td.textContent))")


def test_the_curve_is_made_of_the_log_s_frames(browser, demo_page):
    gamma = "gamma/dose_rate_air"
    open_live(browser, demo_page)

    def history():
        query = urllib.parse.urlencode({"channel": gamma, "hours": 24})
        with urllib.request.urlopen(f"{demo_page}api/v1/history?{query}") as r:
            return json.load(r)["rows"]
    wait_until(lambda: len(history()) > 8, 20, "rows, some of them in frames")
    browser.find_element(By.CSS_SELECTOR, f'[data-channel="{gamma}"] button').click()
    browser.find_element(By.CSS_SELECTOR, "[data-hours='1']").click()
    wait_until(lambda: attribute(browser, "#chart", "data-source") == "frames", 15, "the frames")
    assert count(browser, "#detail[open] #chart canvas") > 0
    wait_until(lambda: len(table_rows(browser)) > 8, 15, "rows in the table")
    shown = table_rows(browser)
    known = [(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms // 1000)), value)
             for ms, value, _ in history()]
    assert [(at, float(value)) for at, value, _ in reversed(shown)] == known[:len(shown)]

    wait_until(lambda: len(table_rows(browser)) > len(shown) + 8, 30, "the curve to go on")
    later = [(at, float(value)) for at, value, _ in reversed(table_rows(browser))]
    known = [(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ms // 1000)), value)
             for ms, value, _ in history()]
    assert later == known[:len(later)]
    assert attribute(browser, "#chart", "data-source") == "frames"
    assert not complaints(browser)


def test_without_workers_the_station_s_own_history_is_drawn(browser, demo_page):
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument",
                                    {"source": "window.Worker = undefined;"})
    try:
        open_live(browser, demo_page)
        browser.find_element(By.CSS_SELECTOR, '[data-channel="gamma/dose_rate_air"] button').click()
        browser.find_element(By.CSS_SELECTOR, "[data-hours='1']").click()
        wait_until(lambda: count(browser, "#detail[open] #chart canvas") > 0, 15, "the curve")
        assert attribute(browser, "#chart", "data-source") == "history"
        assert not complaints(browser)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_an_alert_shows_with_word_shape_and_limit(browser, demo_page):
    open_live(browser, demo_page)
    wait_until(lambda: count(browser, ".alert[data-cleared=false]") == 1, 20, "the alert")
    alert = text(browser, ".alert")
    assert "Yellow" in alert and "Level over nothing" in alert and "limit 1" in alert
    assert attribute(browser, ".alert .shape use", "href") == "#a-yellow"
    wait_until(lambda: text(browser, "[data-tile=alerts] .n") == "1", 10, "the alerts' tile")


def test_nothing_is_asked_of_other_hosts(browser, demo_page):
    open_live(browser, demo_page)
    browser.find_element(By.CSS_SELECTOR, '[data-channel="roof-o3/ozone"] button').click()
    wait_until(lambda: count(browser, "#chart canvas") > 0, 15, "the curve")
    assert requested_hosts(browser) == {urllib.parse.urlsplit(demo_page).netloc}
    assert not complaints(browser)


def test_no_width_scrolls_sideways(browser, demo_page):
    open_live(browser, demo_page)
    for width in (320, 390, 820, 1280):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_page_reads_without_a_script(browser, demo_page):
    open_live(browser, demo_page)  # until values have come
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(demo_page + "?lang=zh")
    body = browser.find_element(By.TAG_NAME, "body").text
    assert "试验站" in body and "臭氧" in body and "µg/m³" in body
    assert browser.find_element(By.CSS_SELECTOR, '[data-channel="roof-o3/ozone"] .value').text != "–"

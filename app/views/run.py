"""Run: what a run does now or found, its log and its results."""

from __future__ import annotations

from datetime import UTC

import pandas as pd
import streamlit as st

from app import actions, reads
from app.deployment import Deployment
from app.frame import empty, errors, page
from app.people import Person
from app.text import plain, sentence
from contract.run import now
from job.runtime.log_lines import SEVERITIES
from mmm import artifacts
from mmm.progress import in_words, search_of
from mmm.runs import Run

COLOURS = {"SUCCEEDED": "green", "HELD": "orange", "FAILED": "red", "PASS": "green",
           "REVIEW": "orange", "FAIL": "red"}  # fmt: skip


def show() -> None:
    """Show the page."""
    with page("Run", command="mmm show RUN, mmm logs RUN, mmm cancel RUN") as here:
        at, who = here
        newest = {run.run_id: run for run in reads.newest()}
        asked = st.query_params.get("run", "")
        if not newest and not asked:
            empty("No run yet.", "Start one on the page Markets, or train a New market.")
            return
        known = list(newest) if not asked or asked in newest else [asked, *newest]
        run_id = st.selectbox(
            "Run", known, index=known.index(asked) if asked else 0,
            format_func=lambda one: _label(newest.get(one), one),
        )  # fmt: skip
        st.query_params["run"] = run_id
        _show(run_id, at, who)


def _label(run: Run | None, run_id: str) -> str:
    if run is None:
        return run_id
    current = ", current" if run.is_current else ""
    return f"{run.market} · {run.state}{current} · {run.created_at:%Y-%m-%d %H:%M} · {run_id}"


def _show(run_id: str, at: Deployment, who: Person) -> None:
    run = reads.run(run_id)
    ended = run.state.is_terminal

    @st.fragment(run_every=None if ended else 2.0)
    def now_shown() -> None:
        with errors():
            latest = run if ended else reads.run(run_id)
            _facts(latest)
            _steps(latest)
            if not ended and latest.state.is_terminal:
                reads.forget()
                st.rerun()

    now_shown()
    if not ended:
        _cancel(run_id, at, who)
    _verdict(run)
    if run.artifacts_uri and not run.duplicate_of:
        _results(run, at)
    _log(run_id, ended=ended)


def _facts(run: Run) -> None:
    badges = [(run.state.value, COLOURS.get(run.state.value, "blue"))]
    if run.verdict:
        badges.append((f"verdict {run.verdict}", COLOURS.get(run.verdict, "gray")))
    if run.is_current:
        badges.append(("current run", "green"))
    st.markdown(" ".join(f":{colour}-badge[{plain(text)}]" for text, colour in badges))
    took = "took" if run.state.is_terminal else "since"
    attempt = f", attempt {run.attempt + 1}" if run.attempt else ""
    st.markdown(
        f"Market **{plain(run.market)}**, revision {plain(run.revision)}. Requested "
        f"{run.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {took} {in_words(run.seconds)}"
        f"{attempt}."
    )
    if run.duplicate_of:
        st.info(
            f"The same config and data were trained before, by run {plain(run.duplicate_of)}. "
            "Nothing was trained again."
        )
    elif run.waits_for:
        st.info(f"Waits until run {plain(run.waits_for)} of the same market has ended.")
    elif run.problem:
        st.error(sentence(run.problem))


def _steps(run: Run) -> None:
    search = search_of(run.progress, run.steps, at=now())
    if search is not None and not run.state.is_terminal:
        left = f", about {in_words(search.seconds_left)} left" if search.seconds_left else ""
        st.progress(search.share, text=f"Search: {search.share:.0%}{left}")
        shown = list(search.trials.items())
        for number, done in shown[:10]:
            share = done / search.iterations
            st.progress(share, text=f"Trial {number}: {done:,} of {search.iterations:,} iterations")
        if len(shown) > 10:
            st.markdown(f"and {len(shown) - 10} more trials")
    if not run.steps:
        st.markdown("The job has not begun yet.")
        return
    with st.expander("Steps", expanded=not run.state.is_terminal):
        table = pd.DataFrame(
            {
                "Step": [step["name"] for step in run.steps],
                "State": [
                    "at work" if step.get("seconds") is None else step.get("state", "")
                    for step in run.steps
                ],
                "Seconds": [
                    "" if step.get("seconds") is None else f"{step['seconds']:.1f}"
                    for step in run.steps
                ],
            }
        )
        st.dataframe(table, hide_index=True, width=420, alt="The steps of the run")


def _cancel(run_id: str, at: Deployment, who: Person) -> None:
    with st.expander("Cancel the run"):
        st.markdown("The run stops, and what it has computed is not used.")
        if st.button("Cancel it", type="primary"):
            with errors(), st.spinner("Stopping the run …"):
                actions.cancel_run(at, who, run_id)
                reads.forget()
                st.rerun()


def _verdict(run: Run) -> None:
    if run.held:
        st.subheader("Why it is held")
        for reason in run.held:
            st.markdown(f"- {sentence(reason)}")
    if run.findings:
        st.subheader("What the verdict says")
        for finding in run.findings:
            level = str(finding.get("level", ""))
            colour = COLOURS.get(level, "gray")
            st.markdown(f"- :{colour}-badge[{plain(level)}] {sentence(str(finding['sentence']))}")
    for warning in run.warnings:
        st.warning(sentence(warning))


def _results(run: Run, at: Deployment) -> None:
    st.subheader("Results")
    names = artifacts.names(at.store, run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if "report.html" in names:
            st.download_button(
                "Download the report",
                lambda: artifacts.read(at.store, run, "report.html"),
                file_name=f"{run.run_id}.html",
                mime="text/html",
                on_click="ignore",
            )
        chosen = st.selectbox("File", names, index=None, placeholder="tables, manifest, models …")
        if chosen:
            st.download_button(
                "Download the file",
                lambda: artifacts.read(at.store, run, chosen),
                file_name=chosen.rpartition("/")[2],
                on_click="ignore",
            )
    if "report.html" in names and st.toggle("Show the report here"):
        st.iframe(artifacts.read(at.store, run, "report.html").decode(), height=900)


def _log(run_id: str, *, ended: bool) -> None:
    st.subheader("Log")
    level = st.segmented_control("At least", SEVERITIES, default="INFO", key="severity") or "INFO"

    @st.fragment(run_every=None if ended else 3.0)
    def lines() -> None:
        with errors():
            entries = reads.log(run_id, level)
            if entries:
                st.code("\n".join(e.to_line() for e in entries), language=None, height=320)
            else:
                empty("No such entries.", "An attempt stores its log every few seconds.")

    lines()


if __name__ == "__main__":
    show()

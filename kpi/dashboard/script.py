"""What Streamlit runs for every view: the frame around a page, then the page."""

from kpi.dashboard.shell import render

render()

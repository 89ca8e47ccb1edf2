"""What Streamlit runs for every view: the frame around a page, then the page.

In a folder of its own: of a folder "pages" beside it Streamlit would make pages by itself, each under the name of its file.
"""

from kpi.dashboard.shell import render

render()

"""The pages: charts, cards and filters over Results. With app.py the only code that imports Streamlit."""

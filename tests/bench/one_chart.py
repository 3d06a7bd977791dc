"""The yardstick of a cold start: the least Streamlit app that shows a chart."""

import altair as alt
import pandas as pd
import streamlit as st

st.title("One chart")
rows = pd.DataFrame({"month": range(60), "n": range(60)})
st.altair_chart(alt.Chart(rows).mark_bar().encode(x="month:O", y="n:Q"))

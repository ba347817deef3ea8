"""Pictures of the songs, the models and the predictions: Vega-Lite specifications filled with rows."""

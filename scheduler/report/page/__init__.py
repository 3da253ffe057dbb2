"""A run as one HTML file that opens offline: charts that can be filtered, tables, and a Gantt chart.

Read `page` first, which puts it together; `cubes` holds what the charts add up, `page.js` draws them.
"""

"""The main figures as PNG files, for documents and messages that hold no page.

Drawn by numpy alone: no plotting library, no font and no browser is needed, and equal results give
equal bytes. The page's charts stay SVG, see decision 2.
"""

"""The report: a folder of static pages that opens from disk or from any web server.

``write.py`` is the verb, ``pages.py`` the registry of pages, ``frame.py`` what all pages share. A page is a
module that reads rows, a template in ``templates/`` and, where it is interactive, a script in ``assets/``.
"""

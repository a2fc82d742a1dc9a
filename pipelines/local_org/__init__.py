"""A Salesforce org on loopback that unmodified clients cannot tell from a real one.

    control.py      start, status, stop, reset, inject: from outside its process
    serve.py        the process: https and http over one org
    org.py          one running org and everything it is made of
    catalog/        WHAT there is: objects, fields, picklists (data files) and the set-up file
    store/          the records: one DuckDB file, one writer, many readers
    dml/            the rules, compiled to SQL over sets of rows; every write comes through write.py
    soql/           queries: grammar, compiler, answers
    bulk/           jobs, their files and results
    api/            HTTP: one table of routes, one module per part of the protocol
    faults.py       what goes wrong on demand

It imports nothing of Causeway's from outside this folder.
"""

"""How the rows of a plan go to the org: noted first, sent once, answered one by one."""

fine.
broken :- , fine.

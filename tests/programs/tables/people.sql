CREATE TABLE person (name TEXT, age INTEGER);
INSERT INTO person VALUES ('ann', 30), ('bob', NULL);
CREATE TABLE "order" (id INTEGER, price REAL);
INSERT INTO "order" VALUES (1, 2.5);

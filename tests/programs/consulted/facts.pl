% Facts for programs that consult this file.
0.3::p(1).
0.4::p(2).

% A number within a grammar rule.
%
% Expected error: ProgramSyntaxError
% at 8:25
% says 7 cannot stand in a grammar rule; terminals are a list such as [the, dog] or a string

word --> [ein].
phrase_of_two --> word, 7.
query(word([ein], [])).

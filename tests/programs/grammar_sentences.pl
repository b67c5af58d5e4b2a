% A grammar with probable rules: what is heard is a sentence if its words are known and its rules hold.
%
% By hand: [the, dog, barks] needs the rule for an article (0.5) and the word dog (0.4), 0.2; [dog, barks] the word
% alone, 0.4. [barks, dog] has no parse.
%
% ProbLog differs: it has no grammar rules and no lambda expressions.
% Expected outcome:
% heard([the, dog, barks]) : 0.2
% heard([dog, barks]) : 0.4
% phrase(np(np(the,dog)),[the, dog]) : 0.2
% Declined: phrase/2 is not spoken by the tabled engine

sentence --> np(_), verb.
0.5::np(np(D, N)) --> article(D), noun(N).
np(N) --> noun(N).
article(the) --> [the].
0.4::noun(dog) --> "" , [dog].
verb --> [barks] | [sleeps].
heard(L) :- member(L, [[the, dog, barks], [dog, barks], [barks, dog]]), phrase(sentence, L).
query(heard(_)).
query(phrase(np(_), [the, dog])).

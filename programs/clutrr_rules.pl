% Rules of kinship that are learnt from stories: what my parent's sibling is to me is a draw, and its odds parameters.
%
% A story is a graph of people, facts of the query: edge(ann, bob, father) says that bob is ann's father. What one
% person is to another may be joined from any two parts of any way between them, and for each two kinds A and B an
% annotated disjunction says what A's B is: one of ten kinds, or nothing that has a name. Nothing is known about it
% before stories are told. The label is what the last person is to the first, and that nothing else follows. (The task
% is CLUTRR: Sinha et al., EMNLP 2019; what sentences say is known here, and learnt in clutrr.pl.)
%
% What A's B is, is drawn once for a whole story, and not at each use: it is a rule, not an event, and a story that
% uses it twice uses it alike. That is what makes "nothing else follows" mean something, and it is exact: a circuit
% keeps track of the 19 draws that three steps may use, in some thousand nodes. It cannot do so for the 100 draws of
% longer stories while all of them are open (four steps came to no end in five minutes); but once learnt, most are
% decided. Rules learnt from short stories, put as facts in place of the annotated disjunction, leave ten steps no draw.
%
% Ask for related(ann, cid, Word), with facts="edge(ann, bob, father). edge(bob, cid, sister)."; the answer is an aunt,
% once that is learnt. With edge(cid, bob, brother) in place of the second fact there is none: edges lead one way.
%
% By hand, when nothing is learnt and each draw has 11 equal values, q = 1/11: two steps are one draw, each word has q.
% For parent, sibling, child in a row, let X be a parent's sibling and Z a sibling's child. Nephew is all that follows
% - from one side, where the other is nothing: X is nothing and Z one of nine kinds, or the other way round, 2 * 9 q^3
%   (not ten: if Z is a sibling, then "parent, Z" is the draw that gave X);
% - from both, where they agree or one is nothing: q^3 if X is a parent and Z a child, which makes them one draw;
%   2 * 2 q^3 if one of X and Z is a sibling and the other a nibling; 80 * 3 q^4 for the 80 X and Z without a sibling.
% Brother is so, too, but q^2 if X and Z are siblings, and not if only one of them is: (19 + 11) q^3 + 240 q^4.
%
% Facts: edge(p0, p1, father). edge(p1, p2, sister). edge(p2, p3, son).
% Expected outcome:
% related(p0, p2, aunt) : 0.09090909090909091
% related(p0, p2, uncle) : 0
% related(p0, p3, nephew) : 0.03367256335
% related(p0, p3, brother) : 0.0389317669558

:- dynamic edge/3, joined/3.  % facts of the query, and of what was learnt

kind(parent). kind(child). kind(sibling). kind(spouse). kind(grandparent). kind(grandchild).
kind(pibling). kind(nibling). kind(parent_in_law). kind(child_in_law).

% joined(A, B, Kind): my A's B is my Kind.
t(_, A, B) :: joined(A, B, parent);
t(_, A, B) :: joined(A, B, child);
t(_, A, B) :: joined(A, B, sibling);
t(_, A, B) :: joined(A, B, spouse);
t(_, A, B) :: joined(A, B, grandparent);
t(_, A, B) :: joined(A, B, grandchild);
t(_, A, B) :: joined(A, B, pibling);
t(_, A, B) :: joined(A, B, nibling);
t(_, A, B) :: joined(A, B, parent_in_law);
t(_, A, B) :: joined(A, B, child_in_law);
t(_, A, B) :: joined(A, B, nothing) :- kind(A), kind(B).

% relative(X, Z, Kind): Z is X's parent, child, … Any part of the way may be joined first.
relative(X, Y, Kind) :- edge(X, Y, Word), word(Kind, _, Word).
relative(X, Z, Kind) :- relative(X, Y, A), relative(Y, Z, B), joined(A, B, Kind), kind(Kind).

% related(X, Y, Word): Y is X's father, mother, … and nothing else; gender is that of the word by which Y is told of.
related(X, Y, Word) :-
    relative(X, Y, Kind), \+ also(X, Y, Kind), edge(_, Y, Told), word(_, Gender, Told), word(Kind, Gender, Word).

also(X, Y, Kind) :- relative(X, Y, Other), Other \= Kind.

word(parent, male, father).
word(parent, female, mother).
word(child, male, son).
word(child, female, daughter).
word(sibling, male, brother).
word(sibling, female, sister).
word(spouse, male, husband).
word(spouse, female, wife).
word(grandparent, male, grandfather).
word(grandparent, female, grandmother).
word(grandchild, male, grandson).
word(grandchild, female, granddaughter).
word(pibling, male, uncle).
word(pibling, female, aunt).
word(nibling, male, nephew).
word(nibling, female, niece).
word(parent_in_law, male, 'father-in-law').
word(parent_in_law, female, 'mother-in-law').
word(child_in_law, male, 'son-in-law').
word(child_in_law, female, 'daughter-in-law').

% Kinship from stories: a network reads each sentence, and rules say what follows from several of them.
%
% A story's sentences are about pairs of people, which facts of the query state: about(s1, p0, p1) for a sentence s1
% whose text is a tensor. The network decides what kind of relative p1 is of p0; the rules join kinds along the way
% from one person to another, and gender turns a kind into a word. Only the last word is ever a label, so the network
% learns what each sentence says from what it leads to. (CLUTRR: Sinha et al., EMNLP 2019.)
%
% Ask for related(p0, p2, Word), with facts="about(s1, p0, p1). about(s2, p1, p2). gender(p2, female)." and batches of
% sentences for s1 and s2: stories of one length are one batch.
%
% By hand: a parent's parent is a grandparent, 0.5 * 0.4; a sibling's parent is a parent, 0.2 * 0.4; a parent's sibling
% is an aunt, 0.5 * 0.6, and her brother an uncle like a mother's brother, 0.3 + 0.08.
%
% Network kind_net: s1 = 0.5, 0.3, 0.2, 0, 0, 0, 0; s2 = 0.4, 0, 0.6, 0, 0, 0, 0; s3 = 0, 0, 1, 0, 0, 0, 0
% Inputs: s1 s2 s3
% Facts: about(s1, p0, p1). about(s2, p1, p2). about(s3, p2, p3). gender(p2, female). gender(p3, male).
% Expected outcome:
% related(p0, p2, grandmother) : 0.2
% related(p0, p2, mother) : 0.08
% related(p0, p2, aunt) : 0.3
% related(p0, p3, uncle) : 0.38

nn(kind_net, [Sentence], Kind, [parent, child, sibling, spouse, grandparent, grandchild, pibling]) ::
    kind(Sentence, Kind).

:- dynamic about/3, gender/2.  % facts of the query

% relative(X, Z, Kind): along the story, Z is X's parent, child, … Any part of the way may be joined first.
relative(X, Y, Kind) :- about(S, X, Y), kind(S, Kind).
relative(X, Z, Kind) :- relative(X, Y, First), relative(Y, Z, Second), joined(First, Second, Kind).

related(X, Y, Word) :- relative(X, Y, Kind), gender(Y, Gender), word(Kind, Gender, Word).

% joined(First, Second, Kind): my First's Second is my Kind.
joined(parent, parent, grandparent).
joined(parent, child, sibling).
joined(parent, sibling, pibling).
joined(child, child, grandchild).
joined(child, sibling, child).
joined(child, spouse, child_in_law).
joined(child, grandparent, parent).
joined(child, pibling, sibling).
joined(sibling, parent, parent).
joined(sibling, child, nibling).
joined(sibling, sibling, sibling).
joined(sibling, grandparent, grandparent).
joined(spouse, parent, parent_in_law).
joined(spouse, child, child).
joined(spouse, grandchild, grandchild).
joined(grandchild, sibling, grandchild).

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

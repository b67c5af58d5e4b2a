% Atoms that name no tensor reach the network as strings.
%
% By hand: someone is tall, 1 - 0.5 * 0.8.
%
% Inputs:
% Network net (values): ann = 0.5; bob = 0.2
% Expected outcome:
% someone : 0.6
% tall(ann) : 0.5
% Expected gradient:
% someone / net(ann) : 0.8
% someone / net(bob) : 0.5

nn(net, [Person]) :: tall(Person) :- person(Person).
person(ann).
person(bob).
someone :- tall(_).

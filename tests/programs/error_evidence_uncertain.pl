% Evidence by a rule whose body holds in some worlds alone is no evidence: what is known is known in all of them.
%
% Expected error: GroundingError
% at 9:1
% says evidence(wet(1)) is stated by a rule whose body holds in some worlds alone

0.3::rain. 0.2::wet(1). 0.2::wet(2).
place(1). place(2).
evidence(wet(X)) :- place(X), rain.
query(rain).
